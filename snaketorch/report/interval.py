"""Mean and 95 % interval of a metric over seeds.

A handful of seeds is a small sample, so the interval uses Student's t: with three seeds it is more
than twice as wide as the familiar 1.96 standard errors, and rightly so.
"""

import math
import statistics
from collections.abc import Mapping
from typing import Any

from snaketorch.report.metric_range import ANYWHERE, MetricRange

CONFIDENCE = 0.95


def over_seeds(values: Mapping[int, float | None], within: MetricRange = ANYWHERE) -> dict[str, Any]:
    """Mean, standard deviation (n - 1) and 95 % interval of the mean.

    One seed has neither deviation nor interval. A value that could not be measured (None) leaves all
    three out: a mean without the seed that failed would look better than the experiment is.

    Args:
        values: By seed.
        within: Where the metric can be; the interval ends there.
    """
    measured = [value for value in values.values() if value is not None]
    found = {
        "values": {str(seed): value for seed, value in values.items()},
        "mean": None,
        "sd": None,
        "ci95": None,
        "n": len(measured),
    }
    if len(measured) < len(values):
        return found
    found["mean"] = mean = statistics.fmean(measured)
    if len(measured) > 1:
        found["sd"] = deviation = statistics.stdev(measured)
        half = student_t(CONFIDENCE, len(measured) - 1) * deviation / math.sqrt(len(measured))
        found["ci95"] = list(within.clip((mean - half, mean + half)))
    return found


def student_t(confidence: float, degrees: int) -> float:
    """The t with ``confidence`` of the distribution between -t and t; 12.706 for 0.95 and one degree of freedom."""
    low, high = 0.0, math.pi / 2  # as angles, atan(t / sqrt(degrees)): a bounded search for an unbounded number
    for _ in range(80):
        middle = (low + high) / 2
        if _probability_within(middle, degrees) < confidence:
            low = middle
        else:
            high = middle
    return math.tan(low) * math.sqrt(degrees)


def _probability_within(angle: float, degrees: int) -> float:
    """The finite series for whole degrees of freedom: Abramowitz and Stegun, 26.7.3 and 26.7.4."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    term = total = cosine if odd else 1.0
    if degrees == 1:
        total = 0.0
    for k in range(2 + odd, degrees - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total
