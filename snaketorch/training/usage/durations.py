"""Medians of millions of durations, in little memory."""

import math
from collections import Counter
from collections.abc import Mapping

WIDTH = math.log(1.02)
"""Of a class of durations, as a ratio: what is told is right to a hundredth."""
SHORTEST = 1e-7
"""Seconds; nothing shorter is told apart."""


class Durations:
    """How often durations of each length occurred, in classes as wide as a fiftieth of their length."""

    def __init__(self, counts: Mapping[int, int] | None = None):
        """``counts``: those of an earlier one, which this goes on from."""
        self.counts = Counter(counts or {})

    def add(self, seconds: float) -> None:
        """Counts one more."""
        self.counts[round(math.log(max(seconds, SHORTEST)) / WIDTH)] += 1

    def quantile(self, share: float) -> float | None:
        """Seconds that the ``share`` of all took at most; None when there are none."""
        left = share * self.counts.total()
        for number in sorted(self.counts):
            left -= self.counts[number]
            if left <= 0:
                return math.exp(number * WIDTH)
        return None
