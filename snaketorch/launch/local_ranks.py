"""The other processes of this machine that train together: started with the first, and ended with it.

Each runs the command of the first again. Nobody outlives another: when one dies, the first ends the others and itself
with the dead one's exit code; when the first dies, the others see that its process is gone. Once the training is over
the first needs nobody: it publishes, however the others end.
"""

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import ClassVar, NoReturn, Self

from snaketorch import parent
from snaketorch.errors import PeerFailed, UserError
from snaketorch.failures.classify import classify
from snaketorch.launch.place import is_started_by_slurm, is_started_here, rank_so_far
from snaketorch.launch.reports import Said, failure_of_peer
from snaketorch.launch.variables import LISTENER, LOCAL_RANK, MEETING, RANK_OF_SLURM, REPORT

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
GRACE_SECONDS = 5.0
"""For the first process to notice by itself that another died: the connection to it breaks, most of the time."""
LEAVING_SECONDS = 60.0
"""For what it has to tell and to send after that."""
ENDING_SECONDS = 10.0
"""For the others, when all were told to end; then they are killed."""
DONE_SECONDS = 60.0
"""For the others, when the training is done."""


class LocalRanks:
    """The other processes of this machine, in a ``with`` block that trains with them."""

    _now: ClassVar["LocalRanks | None"] = None

    def __init__(self, devices: int, num_nodes: int, when_stuck: Callable[[BaseException], None]):
        """``when_stuck`` tells of the failure when this process does not, because it waits for the dead one."""
        self.devices, self.num_nodes, self.when_stuck = devices, num_nodes, when_stuck
        self.children: list[_Child] = []
        self.over = threading.Event()
        """Set when the death of another ends this process no more."""
        self.leaves_until: float | None = None
        self._environment: dict[str, str | None] = {}

    def __enter__(self) -> Self:
        if LOCAL_RANK in os.environ or RANK_OF_SLURM in os.environ or self.devices * self.num_nodes == 1:
            return self
        self._meet_at()
        if self.devices > 1:
            rank = int(os.environ.get("NODE_RANK", "0")) * self.devices
            self.children = [_Child(local_rank, rank + local_rank) for local_rank in range(1, self.devices)]
            self._watcher = threading.Thread(target=self._watch, name="rank-watch", daemon=True)
            self._watcher.start()
        LocalRanks._now = self
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is None and (is_started_here() or (is_started_by_slurm() and rank_so_far())):
            _leave()
        LocalRanks._now = None
        try:
            if self.children:
                self.over.set()
                self._watcher.join()  # it reads the pipes too
                self._end(error)
        finally:
            for child in self.children:
                os.close(child.report)
            for name, value in self._environment.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value

    def _end(self, error: BaseException | None) -> None:
        if error is None:
            self._wait(DONE_SECONDS)
            if dead := self._dead():
                log.warning("The training is done, but %s", dead.told())
            return
        failure = classify(error)
        if failure.kind in ("timeout", "interrupted"):
            self._wait(ENDING_SECONDS)
            return
        # a broken connection is what the death of another looks like from here
        dead = self._dead_soon() if failure.kind == "lost_peer" else None
        self._kill()
        if dead:
            raise dead.error() from None  # what it brought down here tells no more

    def _meet_at(self) -> None:
        """Says in the environment where the processes find each other."""
        if self.num_nodes > 1:
            missing = [name for name in MEETING if not os.environ.get(name)]
            if missing:
                raise UserError(
                    f"trainer.num_nodes: {self.num_nodes}, and this is one machine; allowed: a job of Slurm with as "
                    "many nodes, or the same command on each machine with MASTER_ADDR (name of the first), MASTER_PORT "
                    f"(a free port there) and NODE_RANK (from 0) set; not set here: {', '.join(missing)}"
                )
            for name in ("MASTER_PORT", "NODE_RANK"):
                if not os.environ[name].isdecimal():
                    raise UserError(f"{name}={os.environ[name]}; allowed: a whole number, see trainer.num_nodes")
            self._set(LOCAL_RANK, "0")
            return
        listener = socket.create_server(("127.0.0.1", 0))
        self._set("MASTER_ADDR", "127.0.0.1")
        self._set("MASTER_PORT", str(listener.getsockname()[1]))
        self._set("NODE_RANK", "0")
        self._set(LOCAL_RANK, "0")
        self._set(LISTENER, str(listener.detach()))

    def _set(self, name: str, value: str) -> None:
        self._environment[name] = os.environ.get(name)
        os.environ[name] = value

    def _watch(self) -> None:
        while self._dead() is None:
            if self.over.wait(POLL_SECONDS):
                return
        seen = time.monotonic()
        while not self.over.wait(POLL_SECONDS):
            if time.monotonic() > (self.leaves_until or seen + GRACE_SECONDS):
                break
        else:
            return
        error = self._dead().error()
        self._kill()
        self.when_stuck(error)
        os._exit(error.exit_code)

    def _dead(self) -> "_Child | None":
        """One that failed; a kill by the host's kernel tells more than what it brought down."""
        dead = [child for child in self.children if child.has_failed]
        return min(dead, key=lambda child: child.process.returncode or 0, default=None)

    def _dead_soon(self) -> "_Child | None":
        until = time.monotonic() + GRACE_SECONDS
        while self._dead() is None and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        return self._dead()

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        for child in self.children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, until - time.monotonic()))
        self._kill()

    def _kill(self) -> None:
        for child in self.children:
            if child.process.poll() is None:
                child.process.kill()
                child.process.wait()


def leaving() -> None:
    """This process has met an error and is on its way out: it is not waiting for a dead one."""
    if LocalRanks._now is not None:
        LocalRanks._now.leaves_until = time.monotonic() + LEAVING_SECONDS


def training_is_over() -> None:
    """The processes have nothing more to say to each other: how another ends is of no matter to this one any more."""
    if LocalRanks._now is not None:
        LocalRanks._now.over.set()


def _leave() -> NoReturn:
    """Ends a process that has done its part at once: a crash at its teardown would be that of a good training."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(0)


class _Child:
    """One of the others."""

    def __init__(self, local_rank: int, rank: int):
        self.rank = rank
        self.said: Said | None = None
        self.report, end = os.pipe()
        environment = {
            **{name: value for name, value in os.environ.items() if name != LISTENER},
            LOCAL_RANK: str(local_rank),
            REPORT: str(end),
            parent.VARIABLE: str(os.getpid()),
        }
        # the options of the interpreter too, such as -m
        command = [sys.executable, *sys.orig_argv[1:]]
        try:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, pass_fds=[end])
        finally:
            os.close(end)
        os.set_blocking(self.report, False)

    @property
    def has_failed(self) -> bool:
        """Whether it said so, or is gone; what it said comes first, for a process takes its time to end."""
        code = self.process.poll()
        if self.said is None:
            with contextlib.suppress(OSError, ValueError):
                self.said = json.loads(os.read(self.report, 1 << 20))
        return self.said is not None or bool(code)

    def told(self) -> str:
        """What is known of how it ended."""
        code = self.process.returncode
        if code < 0:
            return f"process {self.process.pid}, rank {self.rank}, was killed by {signal.Signals(-code).name}"
        return f"process {self.process.pid}, rank {self.rank}, ended with exit code {code}"

    def error(self) -> PeerFailed:
        """Its failure as this process's own."""
        said, code = self.said, self.process.returncode
        if said is None:
            return PeerFailed(
                f"{self.told()}, and the training with it", "killed", 128 - code if code < 0 else code, {}
            )
        return failure_of_peer({**said, "rank": self.rank})
