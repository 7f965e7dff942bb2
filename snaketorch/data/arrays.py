"""Arrays written to disk: one contiguous file a field and split, in a folder that appears whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from snaketorch.data.manifest import ArrayFile
from snaketorch.provenance import file_sha256
from snaketorch.publish import sync_folder


def write_array(path: Path, array: np.ndarray, file: str) -> ArrayFile:
    """Writes ``array`` to ``path`` and on to the disk; ``file`` is the name that the manifest gives it."""
    with path.open("wb") as stream:
        np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
        stream.flush()
        os.fsync(stream.fileno())
    return ArrayFile(file, array.shape, str(array.dtype), path.stat().st_size, file_sha256(path))


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Gives a temporary folder beside ``path`` that takes its place when the block ends well.

    Whatever was at ``path`` is gone then; after an error it is untouched and nothing else is left.
    Files in the folder must be synced by who writes them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f".{path.name}.tmp-*"):  # of a job that was killed
        _remove(leftover)
    new = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    old = path.with_name(f".{path.name}.tmp-{os.getpid()}-old")
    new.mkdir()
    try:
        yield new
        sync_folder(new)
        # a folder cannot be renamed onto one that holds something: the old one steps aside first
        if os.path.lexists(path):
            path.rename(old)
        try:
            new.rename(path)
        except OSError:
            if os.path.lexists(old):
                old.rename(path)
            raise
        sync_folder(path.parent)
    finally:
        _remove(new)
        _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
