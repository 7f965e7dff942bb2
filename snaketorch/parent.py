"""Jobs that end with the workflow that started them.

A killed Snakemake leaves its jobs running, and its successor would start the same training beside
them. The shell prefix of the workflow says which process started the job; when that one is gone, so
is the job. It loses nothing: it goes on from its last checkpoint when it is started again.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

VARIABLE = "SNAKETORCH_PARENT"
POLL_SECONDS = 0.5
SAVING_SECONDS = 15.0
"""For the last checkpoint of an orphan. Its successor needs longer to start, and waits for the lock."""

log = logging.getLogger(__name__)


def workflow() -> int | None:
    """The process that ``SNAKETORCH_PARENT`` names."""
    parent = os.environ.get(VARIABLE, "")
    return int(parent) if parent.isdigit() else None


def end_with_parent(
    has_to_save: Callable[[], bool] = lambda: False, is_told: Callable[[], bool] = lambda: False
) -> None:
    """Watches the workflow's process; does nothing where none is named.

    Nor on systems without ``/proc``, such as macOS: there an orphan works on, and its successor waits
    for the lock of the state folder.

    Args:
        has_to_save: Whether the job saves what it has done when SIGTERM asks it to end.
        is_told: Whether a signal has told it so already: a terminal that closes ends workflow and job.
    """
    pid = workflow()
    if pid is not None and Path("/proc/self/stat").exists():
        threading.Thread(target=_watch, args=(pid, has_to_save, is_told), name="parent-watch", daemon=True).start()


def is_running(pid: int, start: str | None = None) -> bool:
    """Whether a process lives, and is the one that started at ``start`` (see ``start_time``)."""
    now = start_time(pid)
    return now is not None and start in (None, now)


def start_time(pid: int) -> str | None:
    """When a process started, in clock ticks since boot; None when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _watch(pid: int, has_to_save: Callable[[], bool], is_told: Callable[[], bool]) -> None:
    start = start_time(pid)
    while start is not None and is_running(pid, start):
        time.sleep(POLL_SECONDS)
    log.error("The workflow that started this job (process %d) is gone; ending too. Nothing is lost.", pid)
    if has_to_save():
        if not is_told():
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(SAVING_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
