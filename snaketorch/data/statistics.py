"""Mean and standard deviation of channels, exactly."""

from collections.abc import Iterator
from itertools import chain
from math import fsum, sqrt

import numpy as np

from snaketorch.errors import DataError

_ROWS = 1 << 16
"""Rows that are read at once: a memory-mapped array may be larger than the memory."""


def channel_statistics(values: np.ndarray, names: tuple[str, ...]) -> dict[str, list[float]]:
    """Mean and standard deviation of each channel; values: (steps, channels), may be memory-mapped.

    Summed exactly, so the same on every machine, in whatever order its processor adds. DataError
    when a channel does not change: there is nothing to learn from it, and nothing to divide by.
    """
    mean, std = [], []
    for index, name in enumerate(names):
        first = values[0, index]
        if all((part == first).all() for part in _parts(values, index)):
            raise DataError(f"'{name}' is {first:g} all through the training split; leave the column out")
        total = fsum(chain.from_iterable(part.tolist() for part in _parts(values, index)))
        mean.append(total / len(values))
        squares = ((part - mean[-1]) ** 2 for part in _parts(values, index))
        std.append(sqrt(fsum(chain.from_iterable(part.tolist() for part in squares)) / len(values)))
    return {"mean": mean, "std": std}


def _parts(values: np.ndarray, channel: int) -> Iterator[np.ndarray]:
    for start in range(0, len(values), _ROWS):
        yield values[start : start + _ROWS, channel].astype(np.float64)
