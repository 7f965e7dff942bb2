"""Axes of the figures of a sweep: the metric without what would squeeze it, and each key as it was drawn."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from snaketorch.figures.style import MUTED, shortened
from snaketorch.figures.sweep_trials import TunedKey

LOG_FROM = 50
"""Ratio of the largest to the smallest value from which a logarithmic axis shows more."""
FENCE = 3.0
"""Interquartile ranges beyond the quartile from which a bad value is drawn at the edge."""
FEW = 8
"""Trials up to which all are drawn where they are."""
LABEL = 12
"""Characters of an option's label."""


class MetricScale:
    """The range of the metric that is drawn.

    Diverged trials would squeeze all others into a line, so values far on the bad side lie at the edge.
    The good side is never cut.

    Args:
        values: The metric of each trial.
        mode: Which way is better, ``min`` or ``max``.
    """

    def __init__(self, values: Iterable[float], mode: str):
        found = np.array(sorted(values) or [0.0, 1.0])
        self.mode = mode
        may_be_log = mode == "min" and found[0] > 0
        inside = self._inside(found, np.log10 if may_be_log else lambda them: them)
        self.log = bool(may_be_log and inside[-1] / inside[0] > LOG_FROM)
        low, high = inside[0], inside[-1]
        if low == high:
            low, high = low - (abs(low) or 1.0) * 0.05, high + (abs(high) or 1.0) * 0.05
        ends = np.array([low, high])
        ends = np.log10(ends) if self.log else ends
        edge = 0.06 * (ends[1] - ends[0])
        ends += [-edge, edge]
        self.low, self.high = (float(end) for end in (10**ends if self.log else ends))

    def _inside(self, found: np.ndarray, scaled: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        values = scaled(found) * (1 if self.mode == "min" else -1)
        lower, upper = np.quantile(values, [0.25, 0.75])
        fence = upper + FENCE * (upper - lower)
        inside = found[values <= fence]
        reach, left = np.ptp(values), np.ptp(values[values <= fence])
        # a cut must gain much to be worth what it hides
        return inside if len(found) > FEW and upper > lower and reach > 2 * left > 0 else found

    @property
    def beyond_look(self) -> dict[str, Any]:
        """The mark of a trial at the edge, which points to where it lies."""
        marker = "v" if self.mode == "max" else "^"
        return {"marker": marker, "markersize": 4.5, "color": MUTED, "markeredgewidth": 0, "clip_on": False}

    def placed(self, value: float) -> float:
        """Where a value is drawn."""
        return min(self.high, max(self.low, value))

    def is_beyond(self, value: float) -> bool:
        """Whether it is drawn at the edge, as it lies farther off."""
        return not self.low <= value <= self.high

    def share(self, value: float) -> float:
        """0 at the lower end of the axis, 1 at the upper one."""
        value, low, high = self.placed(value), self.low, self.high
        if self.log:
            value, low, high = math.log(value), math.log(low), math.log(high)
        return (value - low) / (high - low)

    def goodness(self, value: float) -> float:
        """0 for the worst that is drawn, 1 for the best."""
        share = self.share(value)
        return share if self.mode == "max" else 1 - share

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Position as a share, and label."""
        return [(self.share(tick), f"{tick:g}") for tick in _ticks(self.low, self.high, self.log, False, most)]

    def apply(self, axes: Axes) -> None:
        """Makes it the vertical axis."""
        if self.log:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 3), numticks=8))
            axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter("{x:g}")
        axes.set_ylim(self.low, self.high)


class KeyScale:
    """The values of a key as positions from 0 to 1.

    Args:
        key: What it may be.
        values: What it was in the trials.
    """

    def __init__(self, key: TunedKey, values: Sequence[Any]):
        self.key = key
        self._options = None if key.options is None else _in_order([*key.options, *values])
        if self._options is None:
            ends = [*values, *(end for end in (key.low, key.high) if end is not None)]
            self._low, self._high = min(ends, default=0.0), max(ends, default=1.0)
            self._whole = all(isinstance(value, int) for value in values)

    @property
    def is_categorical(self) -> bool:
        """Whether its values are a list, with nothing between."""
        return self._options is not None

    @property
    def step(self) -> float:
        """Between two options."""
        return 1 / max(1, len(self._options or ()) - 1)

    def share(self, value: Any) -> float:
        """The position of a value."""
        if self._options is not None:
            last = len(self._options) - 1
            return self._options.index(value) / last if last else 0.5
        value, low, high = value, self._low, self._high
        if low == high:
            return 0.5
        if self.key.log:
            value, low, high = math.log(value), math.log(low), math.log(high)
        return (value - low) / (high - low)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Position and label; of a long list of options every second one, or fewer, has a label."""
        if self._options is not None:
            every = math.ceil(len(self._options) / (2 * most))
            labels = _told_apart([shown_value(option) for option in self._options])
            pairs = list(zip(self._options, labels, strict=True))[::every]
            return [(self.share(option), label) for option, label in pairs]
        found = _ticks(self._low, self._high, self.key.log, self._whole, most)
        return [(self.share(tick), f"{tick:g}") for tick in found]


def shown_value(value: Any, length: int = LABEL) -> str:
    """A value of the configuration as a label."""
    if isinstance(value, dict):
        kind = value.get("kind")
        rest = [f"{key} {shown_value(inner)}" for key, inner in value.items() if key != "kind"]
        text = " ".join([str(kind), *rest] if kind else rest)
    elif isinstance(value, list):
        text = "×".join(map(shown_value, value)) or "none"
    elif isinstance(value, bool) or value is None:
        text = {True: "true", False: "false", None: "null"}[value]
    else:
        text = f"{value:g}" if isinstance(value, float) else str(value)
    return shortened(text, length)


def _in_order(options: list[Any]) -> list[Any]:
    """Each once; numbers by size, all else as it was listed."""
    distinct = [option for index, option in enumerate(options) if option not in options[:index]]
    numbers = all(isinstance(option, int | float) and not isinstance(option, bool) for option in distinct)
    return sorted(distinct) if numbers else distinct


def _told_apart(labels: list[str]) -> list[str]:
    """Labels that were cut to the same text get a number."""
    twice = {label for label in labels if labels.count(label) > 1}
    return [
        f"{shortened(label, LABEL - 3)} {labels[: index + 1].count(label)}" if label in twice else label
        for index, label in enumerate(labels)
    ]


def _ticks(low: float, high: float, log: bool, whole: bool, most: int) -> list[float]:
    """Round values from ``low`` to ``high``, about ``most``; the ends where there are none."""
    if low == high:
        return [low]
    if log:
        decades = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
        found = [10.0**decade for decade in decades][:: max(1, math.ceil(len(decades) / most))]
        if len(found) < 2:
            factors = (1, 2, 5)
            powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            found = [factor * 10.0**power for power in powers for factor in factors]
    else:
        found = MaxNLocator(nbins=most, steps=[1, 2, 5, 10], integer=whole).tick_values(low, high).tolist()
    slack = 1e-9 * (high - low)
    found = [tick for tick in found if low - slack <= tick <= high + slack]
    return found if len(found) > 1 else [low, high]
