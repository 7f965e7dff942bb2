"""Between which values a metric can be, so that no interval promises more than perfect."""

import math
from typing import NamedTuple


class MetricRange(NamedTuple):
    """Where a number can be."""

    low: float = -math.inf
    high: float = math.inf

    def clip(self, interval: tuple[float, float]) -> tuple[float, float]:
        """What of ``interval`` is possible. It holds the true value as often as before."""
        low, high = (min(max(end, self.low), self.high) for end in interval)
        return low, high

    @property
    def of_differences(self) -> "MetricRange":
        """Where the difference of two such numbers can be."""
        return MetricRange(self.low - self.high, self.high - self.low)


ANYWHERE = MetricRange()
SHARE = MetricRange(0.0, 1.0)
NOT_NEGATIVE = MetricRange(low=0.0)

_RANGES = {
    **dict.fromkeys(("accuracy", "exact_match", "f1_macro", "f1_micro", "auroc", "average_precision"), SHARE),
    **dict.fromkeys(("precision", "recall", "coverage", "coverage_error", "calibration_error"), SHARE),
    **dict.fromkeys(("loss", "mae", "rmse", "mase", "pinball", "interval_width", "bits_per_character"), NOT_NEGATIVE),
    "frechet": NOT_NEGATIVE,
    "perplexity": MetricRange(low=1.0),
    "r2": MetricRange(high=1.0),
}


def range_of(metric: str) -> MetricRange:
    """Of a metric of the test, such as ``test/accuracy``; anywhere for one that nobody has told of here."""
    name = metric.rpartition("/")[2]
    return SHARE if name.startswith("top_") and name.endswith("_accuracy") else _RANGES.get(name, ANYWHERE)
