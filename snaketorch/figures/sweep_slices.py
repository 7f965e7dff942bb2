"""The metric of a sweep's trials by the values of each key."""

import random
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snaketorch.figures.style import INK, MUTED, VERMILION, WIDTH, house_style, legend_above, new_figure, shortened
from snaketorch.figures.sweep_scales import KeyScale, MetricScale
from snaketorch.figures.sweep_trials import IN_WORDS, LOOKS, MANY, SweepTrial, TunedKey, of_status, short_path, the_best

MOST_PANELS = 12
COLUMNS = 3
JITTER = 0.22
"""Of the way from one option to the next, over which trials of the same option are spread."""


@house_style
def sweep_slices_figure(trials: Sequence[SweepTrial], keys: Sequence[TunedKey], metric: str, mode: str) -> Figure:
    """A panel a key: each trial by its value of that key and its metric; a bar at the median of each option.

    Of more than ``MOST_PANELS`` keys the first ones are shown.
    """
    shown = keys[:MOST_PANELS]
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    figure = new_figure(f"{metric} by the value of each tuned key", WIDTH / 3 * max(columns, 2), 2.0 * rows + 0.7)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    scale = MetricScale([trial.best for trial in trials if trial.is_measured], mode)
    for axes, key in zip(panels.flat, shown, strict=False):
        _panel(axes, trials, key, scale, mode)
    for axes in panels.flat[len(shown) :]:
        axes.set_visible(False)
    figure.supylabel(shortened(metric, 32), fontsize=9)
    if len(keys) > len(shown):
        figure.supxlabel(f"{len(keys) - len(shown)} more keys are not shown", fontsize=9)
    legend_above(figure, panels[0, 0])
    return figure


def _panel(axes: Axes, trials: Sequence[SweepTrial], key: TunedKey, scale: MetricScale, mode: str) -> None:
    own = [trial for trial in trials if key.path in trial.values and trial.is_measured]
    places = KeyScale(key, [trial.values[key.path] for trial in own])
    scale.apply(axes)

    def spots(some: Sequence[SweepTrial]) -> list[tuple[float, float]]:
        return [
            (places.share(trial.values[key.path]) + _aside(trial, places, len(own)), scale.placed(trial.best))
            for trial in some
        ]

    # no marks may be in one panel and some in another: the legend is that of the first one
    for status in ("stopped", "finished"):
        inside = [trial for trial in of_status(own, status) if not scale.is_beyond(trial.best)]
        x, y = zip(*spots(inside), strict=True) if inside else ((), ())
        alpha = 0.8 if len(trials) < MANY else 0.45
        axes.plot(x, y, linestyle="none", alpha=alpha, label=IN_WORDS[status], **LOOKS[status] | {"markersize": 4})
    if beyond := [trial for trial in own if scale.is_beyond(trial.best)]:
        axes.plot(*zip(*spots(beyond), strict=True), linestyle="none", **scale.beyond_look)
    best = the_best(trials, mode)
    here = spots([best]) if best and key.path in best.values else []
    x, y = zip(*here, strict=True) if here else ((), ())
    axes.plot(x, y, "o", color=VERMILION, markersize=6.5, label="best", zorder=5)
    if places.is_categorical:
        _medians(axes, own, key, places, scale)
    ticks = places.ticks(4)
    axes.set_xticks([place for place, _ in ticks], [label for _, label in ticks])
    if places.is_categorical and sum(len(label) + 2 for _, label in ticks) > 30:
        axes.tick_params(axis="x", rotation=30)
        for label in axes.get_xticklabels():
            label.set(horizontalalignment="right", rotation_mode="anchor")
    around = 0.5 * places.step if places.is_categorical else 0.05
    axes.set_xlim(-around, 1 + around)
    absent = sum(key.path not in trial.values for trial in trials)
    axes.set_title(short_path(key.path, 26), fontsize=8.5, pad=5)
    if absent:
        axes.set_xlabel(f"not used by {absent} of {len(trials)}", fontsize=8, color=MUTED)


def _aside(trial: SweepTrial, places: KeyScale, count: int) -> float:
    """Spreads the trials of one option, the same way in every drawing."""
    if not places.is_categorical or count < 4:
        return 0.0
    return places.step * JITTER * random.Random(f"slice {trial.number}").uniform(-1, 1)


def _medians(axes: Axes, own: Sequence[SweepTrial], key: TunedKey, places: KeyScale, scale: MetricScale) -> None:
    of_option: dict[float, list[float]] = {}
    for trial in own:
        of_option.setdefault(places.share(trial.values[key.path]), []).append(trial.best)
    for place, values in of_option.items():
        if len(values) > 2:
            middle = scale.placed(float(np.median(values)))
            axes.plot([place - 0.3 * places.step, place + 0.3 * places.step], [middle] * 2, color=INK, linewidth=1.6)
