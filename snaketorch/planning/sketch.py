"""A dataset that is not prepared, as far as it can be known: shapes and counts, without a value."""

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from snaketorch.data.manifest import Manifest, SplitFiles, StoredArray

HEADER_BYTES = 128
"""Of a `.npy` file, before its values."""


@dataclass(frozen=True)
class Sketch(Manifest):
    """A manifest of which no file is there. What a training is built of takes it for one; its values are all zero."""

    contents: dict[str, Any] = field(default_factory=dict)
    """Of the files beside the arrays, such as the tokenizer, by name."""
    starts: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    """By split and field: where samples that have lengths of their own begin."""

    def arrays(self, split: str) -> dict[str, np.ndarray]:
        """Arrays of the right shapes that take no memory."""
        zeros = {
            name: np.broadcast_to(np.zeros((), array.dtype), array.shape)
            for name, array in self.splits[split].arrays.items()
        }
        return zeros | self.starts.get(split, {})

    def facts(self) -> dict[str, Any]:
        """As a manifest's; the values of statistics are stand-ins."""
        return super().facts() | self.contents


def sketched_array(split: str, name: str, shape: tuple[int, ...], dtype: str) -> StoredArray:
    """An array as its file will be."""
    size = HEADER_BYTES + prod(shape) * np.dtype(dtype).itemsize
    return StoredArray(f"arrays/{split}_{name}.npy", shape, dtype, size, sha256="")


def bytes_of(files: SplitFiles) -> int:
    """Size of the arrays of a split, as files and, but for their headers, in memory."""
    return sum(array.bytes for array in files.arrays.values())
