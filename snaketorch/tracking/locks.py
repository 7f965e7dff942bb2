"""Locks between the processes that share a journal or a store."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_JOB = "job.lock"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Waits until no other process or thread is inside a block with the same ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def job_at_work(folder: Path) -> Iterator[None]:
    """Marks the journal in ``folder`` as one that this process writes, for as long as it lives.

    A record lock (``lockf``), unlike the other kind, is not inherited by forked data loader workers,
    which may outlive a killed job, and holds between the nodes of a cluster. It is lost when this
    process opens and closes the file a second time.
    """
    with ExitStack() as stack:
        # without a mark nobody can tell that a job was killed; no reason to disturb the job
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context((folder / _JOB).open("a"))
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def job_is_gone(folder: Path) -> bool:
    """Whether the process that wrote the journal in ``folder`` has ended; False when nothing tells."""
    try:
        with (folder / _JOB).open("rb") as file:
            os.lockf(file.fileno(), os.F_TEST, 0)  # only looks: taking the lock could keep a new job from it
            return True
    except OSError:
        return False


def job_began(folder: Path) -> float | None:
    """When a job first worked on the journal in ``folder``, in seconds since 1970."""
    try:
        return (folder / _JOB).stat().st_mtime
    except OSError:
        return None
