"""A training over several nodes of a Slurm job: ``srun`` starts a process for each device of each node.

The process that starts it trains nothing. It stays, on the first node, and is the job for whoever started it: it
hands on the signals that ask to save or to end, hears from the ranks why they end, and fails as they did. ``srun``
itself must not get these signals: at SIGTERM it kills what it started.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Self

from snaketorch.errors import PeerFailed, UserError
from snaketorch.launch.allocation import Allocation
from snaketorch.launch.reports import AGREED, Reports, Said, failure_of_peer
from snaketorch.launch.srun_words import SrunWords
from snaketorch.launch.variables import LOCAL_RANK, RANK_OF_SLURM, REPORT
from snaketorch.signals import TRY_AGAIN, Noted

log = logging.getLogger(__name__)

TO_END = signal.SIGUSR2
"""Tells a rank to save and end. ``srun`` hands it on."""
AGAIN_SECONDS = 2.0
"""Until it is sent again: ranks that are about to start do not get it."""
GRACE_SECONDS = 15.0
"""For the first rank to notice that another failed, and to tell what it has to tell; then all are killed."""
ENDING_SECONDS = 60.0
"""The same, where all have agreed to end."""


def starts_ranks(num_nodes: int, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process is to start a training on so many nodes by ``srun``: it is a job of Slurm.

    Not where it was started as a rank itself, or by hand on each machine.
    """
    is_rank = {LOCAL_RANK, RANK_OF_SLURM, "NODE_RANK"} & environment.keys()
    return num_nodes > 1 and "SLURM_JOB_ID" in environment and not is_rank


def train_by_srun(devices: int, num_nodes: int, cpus: int) -> None:
    """Runs the command of this process on each rank, until all have ended.

    Args:
        devices: Ranks on each node.
        num_nodes: As many as the job has, or fewer.
        cpus: That the job has on each node.

    Raises:
        PeerFailed: what a rank failed of.
        UserError: the job has fewer nodes, or several of its tasks run this.
    """
    if (tasks := int(os.environ.get("SLURM_STEP_NUM_TASKS", "1"))) > 1:
        raise UserError(
            f"{tasks} tasks of srun run `python -m snaketorch train`, which starts srun itself; "
            "allowed: one, without srun, in the batch script"
        )
    allocation = Allocation.of(os.environ["SLURM_JOB_ID"])
    allocation.check(num_nodes)
    # the options of the interpreter too, such as -m
    command = [*allocation.srun(devices, num_nodes, cpus), sys.executable, *sys.orig_argv[1:]]
    with Reports(socket.gethostname()) as reports:
        environment = allocation.environment(os.environ) | {REPORT: reports.address}
        with _Relay(command, environment) as srun:
            reports.when_first = srun.end_soon
            code = srun.process.wait()
            srun.words.wait(GRACE_SECONDS)
    if code:
        raise failure_of(code, reports.said, srun.words, srun.ended_by)
    for said in reports.said:
        log.warning("The training is done, but rank %d: %s", said["rank"], said["message"])


class _Relay(Noted):
    """``srun``, in a ``with`` block in which signals go to those whom it started."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]):
        super().__init__()
        self.command, self.environment = command, environment
        self.is_started = threading.Event()

    def __enter__(self) -> Self:
        super().__enter__()
        self.install()
        try:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
        except OSError as error:
            super().__exit__()
            raise UserError(f"srun, which starts the processes of several nodes, cannot be run: {error}") from error
        self.words = SrunWords(self.process)
        self.is_started.set()
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        if self.process.poll() is None:  # an error here
            self.process.terminate()
            self.process.wait()

    def told_to_end(self, name: str) -> None:
        super().told_to_end(name)
        threading.Thread(target=self._tell_to_end, daemon=True).start()

    def told_to_save(self, name: str) -> None:
        if self.is_started.is_set():
            self.process.send_signal(signal.SIGUSR1)

    def end_soon(self, said: Said) -> None:
        """Ends all, a while after one has said why it ends: they may wait for it."""
        timer = threading.Timer(ENDING_SECONDS if said["kind"] in AGREED else GRACE_SECONDS, self.process.terminate)
        timer.daemon = True
        timer.start()

    def _tell_to_end(self) -> None:
        self.is_started.wait()
        while self.process.poll() is None:
            with suppress(OSError):
                self.process.send_signal(TO_END)
            time.sleep(AGAIN_SECONDS)


def obey_starter() -> None:
    """Has ``TO_END`` ask this rank to end, once, as SIGTERM does."""

    def told(*_: object) -> None:
        signal.signal(TO_END, signal.SIG_IGN)
        os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(TO_END, told)


def failure_of(code: int, said: Sequence[Said], words: SrunWords, ended_by: str | None) -> PeerFailed:
    """Why a training ended whose ``srun`` ended with ``code``. What one rank failed of brings down the others."""
    own = [one for one in said if one["kind"] not in (*AGREED, "lost_peer")]
    agreed = sorted((one for one in said if one["kind"] in AGREED), key=lambda one: one["rank"])
    if own:
        return failure_of_peer(own[0])
    if words.death and not ended_by:
        kind = "host_memory" if words.ran_out_of_memory else "killed"
        return PeerFailed(f"{words.death}, and the training with it", kind, code, {})
    if agreed:
        return failure_of_peer(agreed[0])
    if ended_by or words.was_told_to_end:
        return PeerFailed(f"told to end by {ended_by or 'a signal'}", "interrupted", TRY_AGAIN, {})
    if said:
        return failure_of_peer(said[0])
    return PeerFailed(f"srun ended with exit code {code}: {words.last or 'it said nothing'}", "lost_peer", code, {})
