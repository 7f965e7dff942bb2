"""Snakemake's locks after a kill.

A Snakemake that is killed leaves its lock files, and the next one refuses to start. Here a lock that
the kernel frees with its process says whether a Snakemake is still at work in this directory; if
none is, the files are leftovers and go away.
"""

import fcntl
import json
import os
import socket
from pathlib import Path
from typing import IO

_held: list[IO[str]] = []  # open as long as this process lives


def release_stale_locks(workdir: Path) -> bool:
    """Removes lock files that no living Snakemake holds. Returns whether there were any.

    Only those of this machine: a shared file system may not carry kernel locks from one host to
    another.
    """
    folder = workdir / ".snakemake"
    try:
        folder.mkdir(exist_ok=True)
        file = (folder / "snaketorch.lock").open("a+", encoding="utf-8")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False  # another Snakemake is at work, or the file system knows no locks
    _held.append(file)
    file.seek(0)
    last_host = _host(file.read())
    file.truncate(0)
    file.write(json.dumps({"host": socket.gethostname(), "pid": os.getpid()}))
    file.flush()
    stale = list((folder / "locks").glob("*.lock")) if last_host == socket.gethostname() else []
    for path in stale:
        path.unlink(missing_ok=True)
    return bool(stale)


def _host(text: str) -> str | None:
    try:
        return json.loads(text)["host"]
    except (json.JSONDecodeError, KeyError, TypeError):
        return None
