"""Mean and standard deviation of channels, exactly."""

from collections.abc import Iterator
from itertools import chain
from math import fsum, sqrt

import numpy as np

from snaketorch.errors import DataError

_ROWS = 1 << 16
"""Rows that are read at once: a memory-mapped array may be larger than the memory."""


def channel_statistics(values: np.ndarray) -> dict[str, list[float]]:
    """Mean and standard deviation of each channel; values: (steps, channels), may be memory-mapped.

    Summed exactly, so the same on every machine, in whatever order its processor adds. A channel that does not
    change has a standard deviation of 1 here, to divide by.
    """
    mean, std = [], []
    for index in range(values.shape[1]):
        if _is_constant(values, index):
            mean.append(float(values[0, index]))
            std.append(1.0)
            continue
        total = fsum(chain.from_iterable(part.tolist() for part in _parts(values, index)))
        mean.append(total / len(values))
        squares = ((part - mean[-1]) ** 2 for part in _parts(values, index))
        std.append(sqrt(fsum(chain.from_iterable(part.tolist() for part in squares)) / len(values)))
    return {"mean": mean, "std": std}


def check_that_some_change(values: np.ndarray, names: tuple[str, ...]) -> None:
    """DataError when no channel changes: then there is nothing to learn. values: (steps, channels)."""
    if all(_is_constant(values, index) for index in range(len(names))):
        shown = ", ".join(f"'{name}' is {values[0, index]:g}" for index, name in enumerate(names))
        raise DataError(f"{shown} all through the training split; allowed: at least one channel that changes")


def _is_constant(values: np.ndarray, channel: int) -> bool:
    first = values[0, channel]
    return all((part == first).all() for part in _parts(values, channel))


def _parts(values: np.ndarray, channel: int) -> Iterator[np.ndarray]:
    for start in range(0, len(values), _ROWS):
        yield values[start : start + _ROWS, channel].astype(np.float64)
