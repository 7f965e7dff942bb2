"""Values far from all others, measured by median and median deviation, which outliers do not move."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from snaketorch.data.quality.digests import column_chunks
from snaketorch.data.quality.report import MOST_EXAMPLES, Finding

FAR = 10.0
"""Robust standard deviations."""
MOST_OUTLIERS = 0.01
"""Share of values; more of them are heavy tails, not outliers."""
SAMPLED = 200_000
"""Values that median and deviation are taken from, evenly spread over all."""


def robust_scale(values: np.ndarray) -> tuple[float, float]:
    """Median, and 1.4826 times the median deviation from it: the standard deviation where values are normal."""
    spread = values[:: max(1, len(values) // SAMPLED)].astype(np.float64)
    median = float(np.median(spread))
    return median, 1.4826 * float(np.median(np.abs(spread - median)))


def robust_deviation(values: np.ndarray, floor: float = 0.0) -> np.ndarray:
    """How many robust standard deviations, at least ``floor``, each value is from the median.

    Zeros where more than half of the values are the same: nothing then says how far is far.
    """
    median, scale = robust_scale(values)
    scale = max(scale, floor)
    return np.abs(values - median) / scale if scale else np.zeros(len(values))


def examine_outliers(
    values: Mapping[str, np.ndarray],
    columns: Sequence[str],
    say: Callable[[str, int, str], str],
    kind: str = "channel",
    drifts: bool = False,
) -> Iterator[Finding]:
    """Finding `outliers`: values that are more than ``FAR`` robust standard deviations of train from its median.

    Args:
        values: By split, (rows, columns), may be memory-mapped.
        columns: Names.
        say: What is told of one value: from its split, its row, and `COLUMN is VALUE`.
        kind: What a column is called.
        drifts: Whether other splits are measured from their own median, because drift is told of elsewhere.
    """
    found, total = [], 0
    for index, column in enumerate(columns):
        median, scale = robust_scale(values["train"][:, index])
        if not scale:
            continue
        for split, array in values.items():
            centre = robust_scale(array[:, index])[0] if drifts else median
            count, first = _far_values(array, index, centre, FAR * scale)
            if count > max(1, MOST_OUTLIERS * len(array)):
                continue
            total += count
            found += [say(split, row, f"{column} is {value:.6g}") for row, value in first]
    if found:
        yield Finding(
            "outliers",
            "hint",
            f"{total:,} values are beyond {FAR:g} robust standard deviations of their {kind}.",
            total,
            tuple(found[:MOST_EXAMPLES]),
        )


def _far_values(array: np.ndarray, column: int, centre: float, limit: float) -> tuple[int, list[tuple[int, float]]]:
    """How many values of a column are more than ``limit`` from ``centre``; rows and values of the first."""
    count, first = 0, []
    for start, part in column_chunks(array, column):
        far = np.flatnonzero(np.abs(part - centre) > limit)
        count += len(far)
        first += [(start + row, float(part[row])) for row in far[: MOST_EXAMPLES - len(first)].tolist()]
    return count, first
