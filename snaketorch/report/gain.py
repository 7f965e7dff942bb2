"""How much better one experiment is than another, with an interval."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from snaketorch.report.interval import CONFIDENCE, student_t
from snaketorch.report.metric_range import ANYWHERE, MetricRange

Verdict = Literal["better", "worse", "unclear", "untold"]
"""``unclear``: the interval holds zero. ``untold``: there is no interval."""


@dataclass(frozen=True)
class Gain:
    """The difference of two means over seeds, the first less the second."""

    difference: float | None
    """None where a value could not be measured."""
    interval: tuple[float, float] | None
    """95 %; None where there are too few seeds."""
    paired: bool
    """Whether each seed is compared with itself."""
    seeds: list[int]
    verdict: Verdict


def gain(tuned: Mapping[str, Any], default: Mapping[str, Any], mode: str, within: MetricRange = ANYWHERE) -> Gain:
    """The difference between two metrics over seeds.

    Equal seeds begin with equal random numbers, so each is compared with itself and the interval is that of the
    mean difference. Other seeds are compared by Welch's interval, its degrees of freedom rounded down.

    Args:
        tuned: Values by seed, as ``over_seeds`` gives them.
        default: What it is compared with.
        mode: Which way is better.
        within: Where the metric can be; the interval ends where no difference can be.
    """
    ours, theirs = tuned["values"], default["values"]
    paired = ours.keys() == theirs.keys()
    seeds = sorted({int(seed) for seed in (*ours, *theirs)})
    if None in ours.values() or None in theirs.values() or not ours or not theirs:
        return Gain(None, None, paired, seeds, "untold")
    difference = statistics.fmean(ours.values()) - statistics.fmean(theirs.values())
    half = _paired(ours, theirs) if paired else _welch(list(ours.values()), list(theirs.values()))
    if half is None:
        return Gain(difference, None, paired, seeds, "untold")
    interval = within.of_differences.clip((difference - half, difference + half))
    return Gain(difference, interval, paired, seeds, _verdict(interval, mode))


def _paired(ours: Mapping[str, float], theirs: Mapping[str, float]) -> float | None:
    """Half of the interval."""
    differences = [ours[seed] - theirs[seed] for seed in ours]
    if len(differences) < 2:
        return None
    error = statistics.stdev(differences) / math.sqrt(len(differences))
    return student_t(CONFIDENCE, len(differences) - 1) * error


def _welch(ours: list[float], theirs: list[float]) -> float | None:
    """Half of the interval (Welch, 1947)."""
    if min(len(ours), len(theirs)) < 2:
        return None
    parts = [statistics.variance(values) / len(values) for values in (ours, theirs)]
    if not any(parts):
        return 0.0
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(values) - 1) for part, values in zip(parts, (ours, theirs), strict=True)
    )
    return student_t(CONFIDENCE, max(1, math.floor(freedom))) * math.sqrt(sum(parts))


def _verdict(interval: tuple[float, float], mode: str) -> Verdict:
    low, high = interval if mode == "max" else (-interval[1], -interval[0])
    if low > 0:
        return "better"
    return "worse" if high < 0 else "unclear"
