"""A Slurm in another process, and what a test asks of it and does to it."""

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from slurm_daemons import PATIENCE_SECONDS, descendants, kill

COLUMNS = ("JobIDRaw", "Comment", "State", "NodeList", "ReqTRES", "TimelimitRaw", "Submit", "End")


class Job(NamedTuple):
    """One of Slurm's records of a job; a job that was requeued has several."""

    id: str
    comment: str
    state: str
    nodes: str
    requested: dict[str, str]
    minutes: int
    submitted: datetime
    ended: datetime | None

    @classmethod
    def read(cls, line: str) -> "Job":
        id, comment, state, nodes, requested, minutes, *times = line.split("|")
        resources = dict(item.split("=") for item in requested.split(",") if item)
        submitted, ended = (None if time == "Unknown" else datetime.fromisoformat(time) for time in times)
        return cls(id, comment, state, nodes, resources, int(minutes or 0), submitted, ended)


class Cluster:
    """The nodes n1 to n4, until ``stop``."""

    def __init__(self) -> None:
        self.server = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("slurm_server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the tests; the server ends with its input
        )
        if self.server.stdout.readline().strip() != "ready":
            raise RuntimeError(f"the cluster did not start (exit code {self.server.wait()}); it said why on stderr")

    def stop(self) -> None:
        self.server.stdin.close()
        self.server.wait(600)
        self.server.stdout.close()

    def jobs(self, comment: str) -> list[Job]:
        """The ended jobs with this comment, by Slurm's accounting, the first one first.

        Snakemake's comment says what they do: "rule_train_model_wildcards_digits_0". Accounting has it in the end.
        """
        command = ["sacct", "-X", "-P", "--noheader", "--noconvert", "--duplicates", f"--format={','.join(COLUMNS)}"]
        jobs = [Job.read(line) for line in self.ask(*command, "--starttime=now-1days").splitlines()]
        return [job for job in jobs if job.comment == comment]

    def ask(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def take_node(self, node: str) -> None:
        """Somebody urgent takes a node from whoever has it, for a moment."""
        self.ask(
            "srun", "--account=lab", "--partition=urgent", f"--nodelist={node}", "--exclusive", "--time=10", "true"
        )

    def kill_node(self, node: str) -> None:
        """As if it lost power: its daemon, the jobs' daemons and all that runs under them are gone at once."""
        daemon = f"slurmd -D -N {node}"
        processes = [pid for pid in descendants(self.server.pid) if _command(pid).strip() == daemon]
        assert processes, f"{node} is down already"
        for pid in descendants(self.server.pid):
            below = descendants(pid)
            if _command(pid).startswith("slurmstepd:") and any(_has(each, f"SLURMD_NODENAME={node}") for each in below):
                processes += [pid, *below]
        for pid in processes:
            kill(pid)

    def kill_task(self, job: str, rank: int) -> None:
        """Kills a process that srun started, as the kernel does."""
        variables = (f"SLURM_JOB_ID={job}", f"SLURM_PROCID={rank}", f"SNAKETORCH_RANK_OF={job}")
        below = descendants(self.server.pid)
        found = [
            pid for pid in below if "snaketorch train" in _command(pid) and all(_has(pid, each) for each in variables)
        ]
        assert len(found) == 1, f"{len(found)} processes of rank {rank} in job {job}"
        kill(found[0])


def wait(condition: Callable[[], object], what: str, while_runs: "subprocess.Popen[bytes]") -> None:
    """Waits for something that a process is to bring about."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert while_runs.poll() is None, f"waited for {what}, but it ended with {while_runs.returncode}"
        assert time.monotonic() < end, f"waited {PATIENCE_SECONDS} s for {what}"
        time.sleep(0.2)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _has(pid: int, variable: str) -> bool:
    try:
        return variable.encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
