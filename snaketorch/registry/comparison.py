"""How much better a candidate is than the champion, with an interval.

Over seeds where both have several: that tells one way of training from another. Else over the samples of the test:
that tells the two models apart, and nothing of what another training would give.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from snaketorch.registry.scores import Scores
from snaketorch.report.gain import gain
from snaketorch.report.metric_range import ANYWHERE, MetricRange

CONFIDENCE = 0.95
RESAMPLES = 2000
SEED = 0
AT_ONCE = 4_000_000
"""Numbers drawn at once, at most: some tens of megabytes."""


@dataclass(frozen=True)
class Difference:
    """Of a metric, the candidate's less the champion's."""

    value: float
    interval: tuple[float, float] | None
    """95 %; None where neither seeds nor samples can be compared."""
    by: str | None
    """What the interval is over, in words."""

    def as_json(self) -> dict[str, Any]:
        """For ``registration.json``."""
        return {"value": self.value, "ci95": list(self.interval) if self.interval else None, "by": self.by}


def over_seeds(
    ours: Mapping[str, float | None], theirs: Mapping[str, float | None], within: MetricRange = ANYWHERE
) -> Difference | None:
    """The difference of the means over seeds; None unless both have several, all of them measured.

    Equal seeds begin with equal random numbers, so each is compared with itself and the interval is Student's (1908)
    of the mean difference. Other seeds are compared by Welch's interval (Biometrika 34, 1947).

    Args:
        ours: Values by seed.
        theirs: Those that they are compared with.
        within: Where the metric can be.
    """
    if min(len(ours), len(theirs)) < 2 or None in ours.values() or None in theirs.values():
        return None
    found = gain({"values": ours}, {"values": theirs}, "max", within)
    if found.difference is None:
        return None
    return Difference(found.difference, found.interval, "seeds, paired" if found.paired else "seeds, Welch")


def over_samples(ours: Scores, theirs: Scores) -> Difference | None:
    """The difference of two models on the same test samples; None where they are not the same.

    The paired percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 16):
    samples are drawn with replacement, for both models the same ones. Where samples follow each other, as windows of
    a series do, they are drawn in circular blocks (Politis and Romano, in Exploring the Limits of Bootstrap, 1992),
    since neighbours are alike and single ones would make the interval too narrow.
    """
    if not ours.is_alike(theirs):
        return None
    pairs = np.stack([ours.values, theirs.values], 1)
    means = _resampled_means(pairs, ours.block)
    differences = ours.metric_of(means[:, 0]) - theirs.metric_of(means[:, 1])
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(differences, [tail, 100 - tail])
    by = "test samples, paired bootstrap" + (" in blocks" if ours.block > 1 else "")
    return Difference(ours.value - theirs.value, (float(low), float(high)), by)


def _resampled_means(pairs: np.ndarray, block: int) -> np.ndarray:
    """Means (RESAMPLES, 2) of the columns of ``pairs`` (N, 2) over as many rows, drawn in blocks."""
    generator = np.random.default_rng(SEED)
    number = len(pairs)
    block = min(block, number)
    blocks = math.ceil(number / block)
    # sums of all circular blocks: the last ones go on with the first rows
    sums = np.concatenate([np.zeros((1, 2)), np.cumsum(np.concatenate([pairs, pairs[: block - 1]]), 0)])
    of_blocks = sums[block:] - sums[:-block]
    parts, left = [], RESAMPLES
    while left:
        now = min(left, max(1, AT_ONCE // blocks))
        starts = generator.integers(number, size=(now, blocks))
        parts.append(of_blocks[starts].sum(1) / (blocks * block))
        left -= now
    return np.concatenate(parts)
