"""Learning curves: how a training went, over one seed or several."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from snaketorch.figures.history import History, measured
from snaketorch.figures.style import BLUE, INK, PAPER, VERMILION, WIDTH, house_style, legend_above, new_figure

SPLITS = {"train": BLUE, "val": VERMILION}
LOG_FROM = 50
"""Ratio of the largest to the smallest loss from which a logarithmic axis shows more."""


@house_style
def learning_curves(
    histories: Mapping[int, History], metrics: Sequence[str], best_epochs: Mapping[int, int] | None = None
) -> Figure:
    """Each metric over the epochs, on training and validation data.

    Args:
        histories: One history a seed. A single seed is a line; of several, each is a thin line and
            their mean a bold one, as far as all of them trained.
        metrics: Names without the split, such as ``loss`` and ``accuracy``; a panel each.
        best_epochs: For each seed the epoch whose weights were kept; marked where it was validated.
    """
    names = list(dict.fromkeys(metrics))
    figure = new_figure(f"Learning curves: {' and '.join(names)} in each epoch, training and validation", WIDTH, 3.0)
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        for split, colour in SPLITS.items():
            curves = {seed: measured(history, f"{split}/{name}") for seed, history in histories.items()}
            _draw(axes, curves, split, colour)
            if split == "val":
                _mark_best(axes, curves, best_epochs or {})
        _finish(axes, name)
    legend_above(figure, panels[0])
    return figure


def _draw(axes: Axes, curves: Mapping[int, tuple[list, list]], split: str, colour: str) -> None:
    label = {"train": "training", "val": "validation"}[split]
    drawn = {seed: curve for seed, curve in curves.items() if curve[0]}
    if len(drawn) == 1:
        (epochs, values) = next(iter(drawn.values()))
        # a single point is no line
        axes.plot(epochs, values, color=colour, label=label, marker="o" if len(epochs) == 1 else None, markersize=5.5)
        return
    for epochs, values in drawn.values():
        axes.plot(epochs, values, color=colour, linewidth=0.8, alpha=0.45)
    shared = sorted(set.intersection(*(set(epochs) for epochs, _ in drawn.values()))) if drawn else []
    if shared:
        tables = [dict(zip(epochs, values, strict=True)) for epochs, values in drawn.values()]
        means = [np.mean([table[epoch] for table in tables]) for epoch in shared]
        axes.plot(shared, means, color=colour, linewidth=2.2, label=f"{label}, mean of {len(drawn)} seeds")


def _mark_best(axes: Axes, curves: Mapping[int, tuple[list, list]], best_epochs: Mapping[int, int]) -> None:
    points = [
        (epoch, value)
        for seed, (epochs, values) in curves.items()
        for epoch, value in zip(epochs, values, strict=True)
        if epoch == best_epochs.get(seed)
    ]
    if points:
        label = f"kept: epoch {points[0][0]:.0f}" if len(points) == len(curves) == 1 else "kept"
        axes.plot(
            *zip(*points, strict=True),
            linestyle="none",
            marker="o",
            markersize=5.5,
            markerfacecolor=INK,
            markeredgecolor=PAPER,
            label=label,
            zorder=5,
        )


def _finish(axes: Axes, name: str) -> None:
    axes.set(xlabel="epoch", ylabel=name.replace("_", " "))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True, min_n_ticks=1))
    values = np.concatenate([[np.nan], *(line.get_ydata() for line in axes.get_lines())])
    values = values[np.isfinite(values)]
    if name == "loss" and len(values) and values.min() > 0 and values.max() / values.min() > LOG_FROM:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_locator(NullLocator())
