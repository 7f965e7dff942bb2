"""How Lightning's checkpoints reach the disk."""

import errno
import shutil
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins import TorchCheckpointIO

from snaketorch.errors import DiskFull
from snaketorch.publish import whole_file


class DurableCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside its place, syncs it, then renames it; reads tensors and plain values, never code.

    Lightning's own way goes through ``$TMPDIR``; on another file system the move is a copy, and a kill
    inside it destroys the checkpoint that was there before.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str, storage_options: Any = None) -> None:
        save(checkpoint, Path(path))

    def load_checkpoint(self, path: str, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        return super().load_checkpoint(path, map_location=map_location or "cpu", weights_only=True)


def save(content: Any, path: Path) -> None:
    """``torch.save`` of a file that appears whole or not at all.

    Raises:
        DiskFull: when the disk cannot take it.
        OSError: when it is not there afterwards, or the disk fails.
    """
    try:
        # a file of Python's own: torch's says nothing of why it failed
        with whole_file(path) as temporary, temporary.open("wb") as file:
            torch.save(content, file)
            file.flush()
            written = file.tell()
    except (OSError, RuntimeError) as error:
        if full := _disk_full(error):
            free = shutil.disk_usage(path.parent).free
            raise DiskFull(
                f"Disk full: {path} could not be written: {full.strerror}, {free:,} bytes are free"
            ) from error
        raise
    there = path.stat().st_size
    if there != written:
        raise OSError(errno.EIO, f"{there:,} bytes are there of {written:,} that were written", str(path))


def _disk_full(error: BaseException | None) -> OSError | None:
    """The error of a full disk or a full quota among what led to ``error``."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return error
        error = error.__cause__ or error.__context__
    return None
