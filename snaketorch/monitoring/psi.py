"""The population stability index: how much the shares of bins, or of categories, differ.

The sum of (p - q) ln(p / q) over bins, of Lewis, An Introduction to Credit Scoring (1994), and Siddiqi, Credit Risk
Scorecards (2006), from whom comes the rule of thumb: below 0.1 nothing, from 0.1 some change, from 0.2 a large one.
The rule knows no sample size, and a small sample fails it by chance: with the same source on both sides the index is
about (1/n + 1/N) times a chi-square variable with one degree of freedom less than there are bins (Yurdakul and
Naranjo, Statistical properties of the population stability index, Journal of Risk Model Validation 14, 2020). So the
mean of that is taken off, and what chance may reach is told beside it.
"""

import numpy as np
from scipy.stats import chi2

from snaketorch.monitoring.measured import Measured

MOST_BINS = 10
SAMPLES_OF_A_BIN = 10
"""New samples that are expected in each bin of a number, at least."""
SAMPLES_OF_A_CATEGORY = 5
"""New samples that are expected in a category, at least; categories with fewer are one."""
SMOOTHING = 0.5
"""Samples added to every bin, for the logarithm of an empty one."""


def psi_of_numbers(
    reference: np.ndarray, values: np.ndarray, level: float, sizes: tuple[float, float] | None = None
) -> Measured:
    """The index over bins that hold equal shares of the reference.

    Args:
        reference: (N,) numbers.
        values: (n,) new numbers.
        level: Chance of a false alarm.
        sizes: Independent samples that the reference and the new numbers are worth; all of them when absent.
    """
    worth = min(sizes or (len(reference), len(values)))
    bins = int(np.clip(worth // SAMPLES_OF_A_BIN, 2, MOST_BINS))
    # of a number with few values, such as a count, several quantiles are one
    edges = np.unique(np.quantile(reference, np.arange(1, bins) / bins, method="inverted_cdf"))
    counts = [np.bincount(np.searchsorted(edges, sample), minlength=len(edges) + 1) for sample in (reference, values)]
    return _psi(*_without_empty(*counts), level, sizes)


def psi_of_counts(
    reference: np.ndarray, counts: np.ndarray, level: float, sizes: tuple[float, float] | None = None
) -> Measured:
    """The index over categories.

    Args:
        reference: (K,) samples of each category.
        counts: (K,) new samples.
        level: Chance of a false alarm.
        sizes: As in ``psi_of_numbers``, where a sample may be of several categories.
    """
    worth = sizes[1] if sizes else counts.sum()
    rare = reference / max(1, reference.sum()) * worth < SAMPLES_OF_A_CATEGORY
    merged = [np.append(part[~rare], part[rare].sum()) for part in (reference, counts)]
    return _psi(*_without_empty(*merged), level, sizes)


def _without_empty(reference: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    there = (reference + counts) > 0
    return reference[there], counts[there]


def _psi(reference: np.ndarray, counts: np.ndarray, level: float, sizes: tuple[float, float] | None) -> Measured:
    p, q = ((part + SMOOTHING) / (part.sum() + SMOOTHING * len(part)) for part in (reference.astype(float), counts))
    raw = float(((p - q) * np.log(p / q)).sum())
    freedom = max(1, len(p) - 1)
    scale = sum(1 / size for size in sizes or (reference.sum(), counts.sum()))
    by_chance = scale * (float(chi2.isf(level, freedom)) - freedom)
    return Measured(max(0.0, raw - scale * freedom), by_chance, int(counts.sum()), int(reference.sum()))
