"""Whether a folder can hold the state of a training: asked at its start, not after hours at the first checkpoint."""

import errno
import os
import shutil
import socket
from pathlib import Path

from snaketorch.errors import DiskFull, UserError
from snaketorch.publish import sync_folder

CHECKPOINTS = 3
"""That must fit: two are kept while a third is written."""


def probe_writable(folder: Path) -> None:
    """Creates, syncs, renames and deletes a file in ``folder``, which it makes.

    Raises:
        UserError: when that is not allowed.
        DiskFull: when not even that fits.
        OSError: when the file system fails otherwise.
    """
    # another process may sweep the folder of temporary files just now
    name = folder / f".probe-{socket.gethostname()}-{os.getpid()}"
    renamed = name.with_name(f"{name.name}-renamed")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with name.open("wb") as file:
                file.write(b"probe")
                file.flush()
                os.fsync(file.fileno())
            name.rename(renamed)
            sync_folder(folder)
        finally:
            for path in (name, renamed):
                path.unlink(missing_ok=True)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
            raise UserError(
                f"{folder}, where the training keeps its checkpoints, cannot be written to: {error.strerror}; "
                "allowed: a folder, on a disk, that this user may write to"
            ) from error
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"{folder}, where the training keeps its checkpoints, is full: {error.strerror}") from error
        raise


def probe_room(folder: Path, checkpoint_bytes: int) -> None:
    """Whether the disk of ``folder`` has room for three checkpoints, those that are there already counted.

    Args:
        folder: Of the training's state.
        checkpoint_bytes: Size of one checkpoint and the weights that it speaks of, an estimate.

    Raises:
        DiskFull: with the numbers of bytes.
    """
    there = sum(path.stat().st_size for path in folder.glob("*.ckpt"))
    needed = max(checkpoint_bytes, CHECKPOINTS * checkpoint_bytes - there)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFull(
            f"{folder} has {free:,} bytes free, and the training needs {needed:,} there: "
            f"{CHECKPOINTS} checkpoints of about {checkpoint_bytes:,} bytes each"
            + (f", of which {there:,} bytes are there" if there else "")
            + "; free some space, or put state/ on another disk"
        )
