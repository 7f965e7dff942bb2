"""A full disk, in words: which file, and how much is free."""

import errno
import os
import shutil
import tempfile
from pathlib import Path


def full_disk_message(error: BaseException) -> str:
    """One line for an error that says that a disk is full, or a quota used up.

    An error may say by ``needed_bytes`` how much was to be written. Where it names no file, the fullest of the
    disks that a step writes to is meant.
    """
    path = getattr(error, "filename", None)
    is_quota = getattr(error, "errno", None) == errno.EDQUOT or "quota" in str(error).lower()
    folder = _existing(Path(os.fsdecode(path))) if isinstance(path, str | bytes) else _fullest()
    where = os.fsdecode(path) if isinstance(path, str | bytes) else f"a file, probably under {folder},"
    needed = getattr(error, "needed_bytes", None)
    needs = f"{_size(needed)} are needed, " if needed else ""
    free = f"{needs}{_size(shutil.disk_usage(folder).free)} are free on the disk of {folder}"
    if is_quota:
        return f"Disk quota used up: {where} could not be written; {free}, but not for you: see `quota -s`"
    return f"Disk full: {where} could not be written; {free}"


def _existing(path: Path) -> Path:
    """The nearest folder that is there."""
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _fullest() -> Path:
    return min((Path.cwd(), Path(tempfile.gettempdir())), key=lambda folder: shutil.disk_usage(folder).free)


def _size(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
