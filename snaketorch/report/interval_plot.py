"""Geometry of the small plots that show a metric over seeds: a point a seed, the mean, its interval."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

WIDTH = 230
MARGIN = 10
ROOM = 1.3
"""How far intervals may widen the axis, in spans of the points: two seeds have intervals that would hide all else."""
NEAR = 8
"""How far off a baseline may be to be on the axis, in spans of the points."""


@dataclass(frozen=True)
class Axis:
    """One scale for all rows of a table."""

    low: float
    high: float

    def x(self, value: float) -> float:
        """Horizontal position; values off the axis lie on its edge."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(MARGIN + share * (WIDTH - 2 * MARGIN), 1)

    def ticks(self) -> list[tuple[float, str]]:
        """Position and label of two to five round values."""
        raw = (self.high - self.low) / 4
        magnitude = 10 ** math.floor(math.log10(raw))
        step = next(step for factor in (1, 2, 5, 10) if (step := factor * magnitude) >= raw)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        style = f",.{decimals}f" if decimals <= 6 else ".4g"
        return [(self.x(k * step), format(k * step, style)) for k in range(first, last + 1)]


@dataclass(frozen=True)
class IntervalPlot:
    """One row: everything in pixels."""

    mean: float | None
    interval: tuple[float, float] | None
    open_ends: tuple[bool, bool]
    """Whether the interval goes on beyond the left and the right edge."""
    points: list[tuple[float, str]]
    """Position and seed."""


def common_axis(metrics: Iterable[dict[str, Any]], baselines: Iterable[float]) -> Axis | None:
    """An axis with room for every seed and every baseline near them, and for the intervals as far as there is room."""
    metrics = list(metrics)
    points = [value for metric in metrics for value in metric["values"].values() if value is not None]
    if not points:
        return None
    low, high = min(points), max(points)
    reach = high - low
    if reach <= 1e-6 * abs(high):  # one seed, or seeds that agree
        reach = 0.1 * abs(high) or 1.0
    near = [value for value in baselines if low - NEAR * reach <= value <= high + NEAR * reach]
    ends = [end for metric in metrics for end in metric["ci95"] or []]
    low = min(max(min([low, *ends]), low - ROOM * reach), *near, low)
    high = max(min(max([high, *ends]), high + ROOM * reach), *near, high)
    edge = max(0.03 * (high - low), 0.1 * reach)
    return Axis(low - edge, high + edge)


def interval_plot(metric: dict[str, Any], axis: Axis) -> IntervalPlot:
    """The row of one experiment."""
    ends = metric["ci95"]
    return IntervalPlot(
        mean=None if metric["mean"] is None else axis.x(metric["mean"]),
        interval=(axis.x(ends[0]), axis.x(ends[1])) if ends else None,
        open_ends=(ends[0] < axis.low, ends[1] > axis.high) if ends else (False, False),
        points=[(axis.x(value), seed) for seed, value in metric["values"].items() if value is not None],
    )
