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
from pathlib import Path

VARIABLE = "SNAKETORCH_PARENT"
POLL_SECONDS = 0.5

log = logging.getLogger(__name__)


def end_with_parent() -> None:
    """Watches the process that ``SNAKETORCH_PARENT`` names; does nothing where none is named.

    Nor on systems without ``/proc``, such as macOS: there an orphan works on, and its successor waits
    for the lock of the state folder.
    """
    parent = os.environ.get(VARIABLE, "")
    if parent.isdigit() and Path("/proc/self/stat").exists():
        threading.Thread(target=_watch, args=(int(parent),), name="parent-watch", daemon=True).start()


def is_running(pid: int, start: str | None = None) -> bool:
    """Whether a process lives, and is the one that started at ``start`` (see ``start_time``)."""
    now = start_time(pid)
    return now is not None and start in (None, now)


def start_time(pid: int) -> str | None:
    """When a process started, in clock ticks since boot; None when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _watch(pid: int) -> None:
    start = start_time(pid)
    while start is not None and is_running(pid, start):
        time.sleep(POLL_SECONDS)
    log.error("The workflow that started this job (process %d) is gone; ending too. Nothing is lost.", pid)
    os.kill(os.getpid(), signal.SIGKILL)
