"""The live state of a training: a folder of its own, never an output, one writer at a time.

Snakemake deletes the declared outputs of a failed job, so what a retry must find lies here, under a
digest of all that the training depends on. Another spec, another dataset or other code is another
folder, and nothing stale is mixed in.
"""

import datetime
import fcntl
import json
import logging
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snaketorch.errors import UserError
from snaketorch.publish import write_json

log = logging.getLogger(__name__)

LOCK_WAIT_SECONDS = 30


@contextmanager
def sole_writer(folder: Path, wait_seconds: float = LOCK_WAIT_SECONDS) -> Iterator[None]:
    """Holds the lock of a state folder; the kernel frees it when the process ends, however it ends.

    A job whose workflow was killed ends within seconds, so a successor waits a little.

    Raises:
        UserError: when another process keeps the lock; names it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + wait_seconds
        while not _locked(file):
            if time.monotonic() > deadline:
                file.seek(0)
                raise UserError(
                    f"{folder} is in use by {_holder(file.read())}: the same training is running already. "
                    "Wait for it, or end that process; then start again"
                )
            time.sleep(0.2)
        file.truncate(0)
        holder = {"host": socket.gethostname(), "pid": os.getpid(), "job": os.environ.get("SLURM_JOB_ID")}
        file.write(json.dumps(holder))
        file.flush()
        yield


def _locked(file) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # Lustre without `-o flock`, some NFS
        log.warning("No lock on %s (%s): make sure that nothing else trains the same model", file.name, error.strerror)
    return True


def _holder(text: str) -> str:
    try:
        holder = json.loads(text)
    except json.JSONDecodeError:
        return "another process"
    job = f", Slurm job {holder['job']}" if holder.get("job") else ""
    return f"process {holder['pid']} on {holder['host']}{job}"


def clear(folder: Path) -> None:
    """Removes the state of a training that is published."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.parent.is_dir() and not any(folder.parent.iterdir()):
        folder.parent.rmdir()


def note_attempt(folder: Path) -> dict[str, Any]:
    """Which attempt at this training this is, from 1, and when the first one ``started``."""
    path = folder / "attempts.json"
    if path.exists():
        noted = json.loads(path.read_text("utf-8"))
        noted["attempts"] += 1
    else:
        noted = {"attempts": 1, "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")}
    write_json(path, noted)
    return noted
