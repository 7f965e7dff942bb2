"""The nodes that a job of Slurm has, and how ``srun`` is told to start one process for each device of each node."""

import os
import re
import socket
import subprocess
from collections.abc import Mapping
from typing import NamedTuple, Self

from snaketorch import parent
from snaketorch.errors import UserError
from snaketorch.launch.place import GPUS_ASKED
from snaketorch.launch.variables import RANK_OF_SLURM

KEPT = {"SLURM_CONF", "SLURM_JOB_ID", "SLURM_CLUSTER_NAME", "SLURM_RESTART_COUNT"}
"""What ``srun`` needs to know of the job; all else that is said of tasks and nodes is not said of these processes."""
FIRST_PORT, PORTS = 15_000, 10_000
"""Where the ranks find each other: FIRST_PORT + number of the job % PORTS, or the next one that is free."""
ANSWER_SECONDS = 30.0
"""That a busy controller may take."""


class Allocation(NamedTuple):
    """What a job has. Slurm is asked itself: Snakemake's job step takes the variables away."""

    job: str
    nodes: int | None
    """None when Slurm did not say."""
    gpus: int = 0
    """On each node."""

    @classmethod
    def of(cls, job: str) -> Self:
        command = ["squeue", "--noheader", "--format=%D|%b", f"--jobs={job}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=True)
        except (OSError, subprocess.SubprocessError):
            return cls(job, None)
        return cls(job, *read(done.stdout))

    def check(self, num_nodes: int, asked_by: str = "trainer.num_nodes") -> None:
        """Sees that it has so many nodes.

        Raises:
            UserError: there are fewer.
        """
        if self.nodes is not None and self.nodes < num_nodes:
            raise UserError(
                f"{asked_by}: {num_nodes}, and job {self.job} of Slurm has {self.nodes}; allowed: a job of as "
                "many nodes, as `snakemake --profile profiles/slurm` submits it"
            )

    def srun(self, devices: int, num_nodes: int, cpus: int) -> list[str]:
        """The call, which the command for each rank follows; ``cpus`` are those of a node."""
        return [
            "srun",
            f"--jobid={self.job}",
            "--overlap",  # beside the step that this process may be in
            f"--nodes={num_nodes}",
            f"--ntasks={num_nodes * devices}",
            f"--ntasks-per-node={devices}",
            "--distribution=block",  # the ranks of a node in a row
            f"--cpus-per-task={max(1, cpus // devices)}",
            *([f"--gpus-per-node={self.gpus}"] if self.gpus else []),
            "--kill-on-bad-exit=1",  # a rank that dies ends all
            "--wait=0",  # one that is done does not: the first has files to write
            "--unbuffered",
        ]

    def environment(self, of_starter: Mapping[str, str]) -> dict[str, str]:
        """What the ranks are told, from the environment of the process that starts them, on the first node."""
        return without_tasks(of_starter) | {
            RANK_OF_SLURM: self.job,
            **({GPUS_ASKED: str(self.gpus)} if self.gpus else {}),
            "MASTER_ADDR": socket.gethostname(),
            "MASTER_PORT": str(_free_port(int(self.job))),
            parent.VARIABLE: str(os.getpid()),
        }


def without_tasks(environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` without what Slurm says there of the tasks and nodes of this process."""
    of_slurm = ("SLURM_", "SRUN_", "SBATCH_")
    return {name: value for name, value in environment.items() if name in KEPT or not name.startswith(of_slurm)}


def read(said: str) -> tuple[int | None, int]:
    """The number of nodes, and of GPUs on each, in an answer such as ``2|gres:gpu:a100:4``; ``N/A`` is none."""
    nodes, _, gres = said.strip().partition("|")
    # "(IDX:0-3)" may follow; the name of a model may be all but these signs, and begin with a digit
    plain = (each.partition("(")[0].removeprefix("gres:").removeprefix("gres/") for each in gres.split(","))
    kinds = (re.split("[:=]", each) for each in plain)
    gpus = sum(int(words[-1]) if words[-1].isdigit() else 1 for words in kinds if words[0] == "gpu")
    return int(nodes) if nodes.isdigit() else None, gpus


def _free_port(job: int) -> int:
    for offset in range(PORTS):
        port = FIRST_PORT + (job + offset) % PORTS
        try:
            socket.create_server(("", port)).close()
        except OSError:
            continue
        return port
    raise UserError(f"no port of {socket.gethostname()} from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} is free")
