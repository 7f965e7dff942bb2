"""The Kolmogorov-Smirnov statistic: the largest distance between two distribution functions."""

from functools import lru_cache

import numpy as np
from scipy.stats import kstwo

from snaketorch.monitoring.measured import Measured


def ks(reference: np.ndarray, values: np.ndarray, level: float, sizes: tuple[float, float] | None = None) -> Measured:
    """The two-sample statistic, from 0 (one distribution) to 1 (no overlap).

    What chance may reach is that of one sample of nN / (n + N) numbers (Smirnov, 1939; as SciPy has it). Numbers
    that occur several times make it smaller than that, so it is never told too low.

    Args:
        reference: (N,) numbers.
        values: (n,) new numbers.
        level: Chance of a false alarm.
        sizes: Independent samples that the reference and the new numbers are worth, where they depend on each other
            (Weiss, Modification of the Kolmogorov-Smirnov statistic for use with correlated data, JASA 73, 1978).
    """
    places = np.concatenate([reference, values])
    below = [np.searchsorted(np.sort(sample), places, side="right") / len(sample) for sample in (reference, values)]
    many, few = sizes or (len(reference), len(values))
    chance = _reached_by_chance(level, max(1, round(many * few / (many + few))))
    return Measured(float(np.abs(below[0] - below[1]).max()), chance, len(values), len(reference))


@lru_cache(maxsize=1024)
def _reached_by_chance(level: float, size: int) -> float:
    return float(kstwo.isf(level, size))  # a search, and a table asks the same for each column
