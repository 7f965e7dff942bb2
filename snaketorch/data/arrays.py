"""Arrays written to disk: one contiguous file a field and split."""

import os
from pathlib import Path

import numpy as np

from snaketorch.data.manifest import ArrayFile
from snaketorch.provenance import file_sha256


def write_array(path: Path, array: np.ndarray, file: str) -> ArrayFile:
    """Writes ``array`` to ``path`` and on to the disk; ``file`` is the name that the manifest gives it."""
    with path.open("wb") as stream:
        np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
        stream.flush()
        os.fsync(stream.fileno())
    return ArrayFile(file, array.shape, str(array.dtype), path.stat().st_size, file_sha256(path))
