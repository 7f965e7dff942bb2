"""Values far from all others, measured by median and median deviation, which outliers do not move."""

import numpy as np

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
