"""Values far from all others, measured by median and median deviation, which outliers do not move."""

from collections.abc import Iterator, Sequence

import numpy as np

from snaketorch.data.quality.report import MOST_EXAMPLES, Finding

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


def far_values(found: Sequence[str], total: int, far: float) -> Iterator[Finding]:
    """The finding that ``total`` values are more than ``far`` robust deviations away; ``found`` names some, or none."""
    if found:
        yield Finding(
            "outliers",
            "hint",
            f"{total:,} values are beyond {far:g} robust standard deviations of their channel.",
            total,
            tuple(found[:MOST_EXAMPLES]),
        )
