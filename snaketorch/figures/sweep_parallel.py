"""Each trial of a sweep as a line through its values."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from snaketorch.figures.style import (
    BLUE,
    INK,
    MUTED,
    PAPER,
    VERMILION,
    WIDTH,
    house_style,
    legend_above,
    new_figure,
    shortened,
)
from snaketorch.figures.sweep_scales import KeyScale, MetricScale
from snaketorch.figures.sweep_trials import FAILED, SweepTrial, TunedKey, short_path, the_best

MOST_KEYS = 9
FEW = 30
"""Trials up to which the faintest line is still well seen."""
ABSENT = -0.14
"""Height of a trial at a key that it does not use."""


@house_style
def sweep_parallel_figure(trials: Sequence[SweepTrial], keys: Sequence[TunedKey], metric: str, mode: str) -> Figure:
    """An axis a key, the metric last; a line a trial, the stronger the better.

    Of more than ``MOST_KEYS`` keys the first ones have an axis. Lines of trials that failed end before
    the metric.
    """
    shown = keys[:MOST_KEYS]
    figure = new_figure(f"The values of each trial of the sweep, and its {metric}", WIDTH, 3.7)
    axes = figure.add_subplot()
    scale = MetricScale([trial.best for trial in trials if trial.is_measured], mode)
    scales = [KeyScale(key, [trial.values[key.path] for trial in trials if key.path in trial.values]) for key in shown]
    best = the_best(trials, mode)
    _draw_measured(axes, [trial for trial in trials if trial.is_measured], scales, scale)
    failed = [_heights(trial, scales) for trial in trials if trial.status in FAILED]
    if failed:
        lines = [list(enumerate(heights)) for heights in failed]
        style = {"linestyles": (0, (3, 2)), "colors": MUTED, "linewidths": 1, "alpha": 0.8}
        axes.add_collection(LineCollection(lines, label=f"failed: {len(failed)}", **style))
    if best:
        heights = [*_heights(best, scales), scale.share(best.best)]
        axes.plot(heights, color=VERMILION, linewidth=2.2, label=f"best: trial {best.number}", zorder=4)
    _frame(axes, trials, scales, scale)
    _titles(axes, scales, metric)
    if len(keys) > len(shown):
        axes.set_xlabel(f"{len(keys) - len(shown)} more keys are not shown")
    legend_above(figure, axes)
    return figure


def _heights(trial: SweepTrial, scales: Sequence[KeyScale]) -> list[float]:
    paths = [(scale, scale.key.path) for scale in scales]
    return [scale.share(trial.values[path]) if path in trial.values else ABSENT for scale, path in paths]


def _draw_measured(axes: Axes, trials: Sequence[SweepTrial], scales: Sequence[KeyScale], metric: MetricScale) -> None:
    few = len(trials) <= FEW
    faintest, strongest = (0.25, 0.9) if few else (0.05, 0.75)
    ordered = sorted(trials, key=lambda trial: metric.goodness(trial.best))  # the good ones lie on top
    lines = [list(enumerate([*_heights(trial, scales), metric.share(trial.best)])) for trial in ordered]
    # by rank: most trials of a long sweep are about as good
    ranks = [index / max(1, len(ordered) - 1) for index in range(len(ordered))]
    alphas = [faintest + (strongest - faintest) * rank ** (1 if few else 4) for rank in ranks]
    axes.add_collection(LineCollection(lines, colors=BLUE, linewidths=1.4 if few else 0.9, alpha=alphas or None))
    for label, alpha in (("better", strongest), ("worse", max(0.2, faintest))):
        axes.plot([], [], color=BLUE, alpha=alpha, label=label)


def _frame(axes: Axes, trials: Sequence[SweepTrial], scales: Sequence[KeyScale], metric: MetricScale) -> None:
    """The axes with their ticks."""
    ticks = [*(scale.ticks(4) for scale in scales), metric.ticks(4)]
    for place, own in enumerate(ticks):
        axes.plot([place, place], [0, 1], color=MUTED, linewidth=0.9, zorder=2)
        for height, label in own:
            axes.plot([place - 0.008 * len(ticks), place], [height] * 2, color=MUTED, linewidth=0.9, zorder=2)
            _label(axes, place, height, label, len(ticks))
    absent = [any(scale.key.path not in trial.values for trial in trials) for scale in scales]
    for place in (place for place, is_absent in enumerate(absent) if is_absent):
        _label(axes, place, ABSENT, "not used", len(ticks))
    axes.set(xticks=[], yticks=[])
    axes.set_xlim(-0.1, len(scales) + 0.25)
    axes.set_ylim((ABSENT if any(absent) else 0) - 0.06, 1.24)
    axes.spines[["left", "bottom"]].set_visible(False)


def _label(axes: Axes, place: float, height: float, text: str, count: int) -> None:
    under = {"facecolor": PAPER, "alpha": 0.75, "pad": 0.8, "edgecolor": "none"}
    axes.text(place + 0.01 * count, height, text, va="center", fontsize=7.5, color=INK, zorder=6, bbox=under)


def _titles(axes: Axes, scales: Sequence[KeyScale], metric: str) -> None:
    """The names of the axes; of many in two rows, as neighbours may be long."""
    count = len(scales)
    length = 46 if count < 3 else 30 if count < 5 else 22 if count < 7 else 16
    titles = [*(short_path(scale.key.path, length) for scale in scales), shortened(metric, length)]
    for place, title in enumerate(titles):
        where = "left" if place == 0 else "right" if place == count else "center"
        height = 1.08 + (0.09 * (place % 2) if count > 2 else 0)
        axes.text(place, height, title, ha=where, fontsize=8.5, fontweight="bold", color=INK)
