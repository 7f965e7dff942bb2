"""Snakemake's locks after a kill.

A Snakemake that is killed leaves its lock files, and the next one refuses to start. Here every
Snakemake shares a lock that the kernel frees with its process; who starts and finds that nobody
shares it knows that the lock files are leftovers, and takes them away.
"""

import fcntl
import json
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
        _held.append(file)
        if not _is_alone(file):
            return False
        locks = list((folder / "locks").glob("*.lock"))
        hosts, here = _hosts(file), {socket.gethostname()}
        stale = bool(locks) and hosts == here
        for path in locks if stale else ():
            path.unlink(missing_ok=True)
        _remember(file, hosts | here if locks and not stale else here)
        fcntl.flock(file, fcntl.LOCK_SH)
    except OSError:
        return False  # a folder that cannot be written, or a file system that knows no locks
    return stale


def _is_alone(file: IO[str]) -> bool:
    """Takes the lock: for this process alone if no other shares it, else with them.

    Even a dry-run shares it, so that one who starts beside a dry-run is still seen when that has ended.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(file, fcntl.LOCK_SH)
        return False
    return True


def _hosts(file: IO[str]) -> set[str]:
    """The machines that started a Snakemake here since there were no lock files."""
    file.seek(0)
    try:
        return set(json.load(file)["hosts"])
    except (json.JSONDecodeError, KeyError, TypeError):
        return set()


def _remember(file: IO[str], hosts: set[str]) -> None:
    file.truncate(0)
    file.write(json.dumps({"hosts": sorted(hosts)}))
    file.flush()
