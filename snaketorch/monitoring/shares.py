"""Shares of samples that are missing, unknown or wrong: is there more of it than there was?"""

import numpy as np
from scipy.stats import betabinom, t

from snaketorch.monitoring.measured import Measured


def rise_of_share(reference_count: int, reference_n: int, count: int, n: int, level: float) -> Measured:
    """How much larger a share is than it was.

    By chance there are as many among n new samples as a beta-binomial variable allows: a binomial one whose
    probability is known no better than from the reference (the posterior under Jeffreys' prior; Brown, Cai and
    DasGupta, Interval estimation for a binomial proportion, Statistical Science 16, 2001).
    """
    before = reference_count / reference_n
    most = float(betabinom.isf(level, n, reference_count + 0.5, reference_n - reference_count + 0.5))
    return Measured(count / n - before, max(0.0, most / n - before), n, reference_n)


def rise_of_mean(
    reference: np.ndarray, values: np.ndarray, level: float, sizes: tuple[float, float] | None = None
) -> Measured:
    """How much larger a mean is than it was, in units of that: 0.1 is ten per cent more.

    By chance it rises as Welch's t test has it (Biometrika 34, 1947), one-sided. Errors have a long tail to the
    right, which makes the test alarm less often than asked for, never more often.

    Args:
        reference: (N,) numbers, such as absolute errors.
        values: (n,) new numbers.
        level: Chance of a false alarm.
        sizes: Independent samples that they are worth; all of them when absent.
    """
    before = float(reference.mean())
    worth = sizes or (len(reference), len(values))
    parts = [float(sample.var(ddof=1)) / size for sample, size in zip((reference, values), worth, strict=True)]
    spread = sum(parts)
    if before <= 0 or spread == 0:  # nothing to take a share of
        return Measured(max(0.0, float(values.mean()) - before), 0.0, len(values), len(reference))
    freedom = spread**2 / sum(part**2 / max(1.0, size - 1) for part, size in zip(parts, worth, strict=True))
    chance = float(t.isf(level, freedom)) * spread**0.5
    return Measured(float(values.mean() - before) / before, chance / before, len(values), len(reference))
