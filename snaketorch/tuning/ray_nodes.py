"""Ray over the nodes of a Slurm job: its head in this process' machine, the first node, the others started by srun."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from snaketorch.errors import UserError
from snaketorch.launch.allocation import Allocation, without_tasks
from snaketorch.tuning.room import Room

JOIN_SECONDS = 300.0
"""Until all nodes are there: each starts Python from a disk that they share."""
END_SECONDS = 20.0
NODE_NAME = "SLURMD_NODENAME"
"""In the environment of a node's processes: Slurm's name for it."""


def room_of_job(room: Room) -> tuple[Room, Allocation | None]:
    """What the nodes of this job have, where it is to have several; a rule counts GPUs of one node alone.

    Raises:
        UserError: this is no job of Slurm with so many nodes.
    """
    if room.num_nodes == 1:
        return room, None
    if "SLURM_JOB_ID" not in os.environ:
        raise UserError(
            f"tune.num_nodes: {room.num_nodes}, and this is one machine; allowed: 1 here, or a job of Slurm with as "
            "many nodes, as `snakemake --profile profiles/slurm` submits it"
        )
    allocation = Allocation.of(os.environ["SLURM_JOB_ID"])
    allocation.check(room.num_nodes, "tune.num_nodes")
    return replace(room, gpus=allocation.gpus), allocation


def address_of_this_node() -> str:
    """The address by which other nodes reach this one; of several that of the way to everywhere else."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        try:
            way.connect(("203.0.113.1", 9))  # nothing is sent: the system only says which way it would go
            return way.getsockname()[0]
        except OSError:
            return socket.gethostbyname(socket.gethostname())


@contextmanager
def other_nodes(allocation: Allocation | None, room: Room, folder: Path) -> Iterator[None]:
    """Has the other nodes join the Ray that runs here, for as long as the block runs.

    Args:
        allocation: The job, where it has several nodes.
        room: What each node of the job has.
        folder: For what srun says, which nobody wants to read unless something goes wrong.

    Raises:
        UserError: they did not come.
    """
    if allocation is None:
        yield
        return
    import ray

    address = ray.get_runtime_context().gcs_address
    start = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", f"--address={address}"]
    start += ["--block", f"--num-cpus={room.cpus}", f"--num-gpus={room.gpus}", "--disable-usage-stats"]
    others = room.num_nodes - 1
    command = [*allocation.srun(1, others, room.cpus), "--relative=1", *start]
    # Slurm gives each node its own name only where there is none yet
    environment = {name: value for name, value in without_tasks(os.environ).items() if name != NODE_NAME}
    said = folder / "srun.log"
    with said.open("w") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_for(room.num_nodes, process, said)
        yield
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(nodes: int, process: "subprocess.Popen[bytes]", said: Path) -> None:
    import ray

    end = time.monotonic() + JOIN_SECONDS
    while (there := sum(node["Alive"] for node in ray.nodes())) < nodes:
        if process.poll() is not None:
            raise UserError(
                f"{there} of {nodes} nodes of the sweep are there, and srun, which was to start Ray on the others, "
                f"ended with exit code {process.returncode}: {_end_of(said)}"
            )
        if time.monotonic() > end:
            raise UserError(
                f"{there} of {nodes} nodes of the sweep are there after {JOIN_SECONDS:.0f} s: {_end_of(said)}"
            )
        time.sleep(0.5)


def _end_of(said: Path) -> str:
    return " ".join(said.read_text("utf-8", errors="replace").splitlines()[-5:]) or "it said nothing"
