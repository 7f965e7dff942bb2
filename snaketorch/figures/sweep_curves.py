"""The learning curves of a sweep's trials, and where the scheduler ended them."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from snaketorch.figures.style import BLUE, MUTED, VERMILION, WIDTH, house_style, legend_above, new_figure, shortened
from snaketorch.figures.sweep_scales import MetricScale
from snaketorch.figures.sweep_trials import FAILED, IN_WORDS, MANY, SweepTrial, the_best

MOST = 300
"""Curves of one figure."""
MOST_POINTS = 12_000
"""Of all curves together; of longer ones some epochs are left out, evenly."""

Points = list[tuple[float, float]]


@house_style
def sweep_curves_figure(trials: Sequence[SweepTrial], metric: str, mode: str) -> Figure:
    """The metric over the epochs, a line a trial: those that ended early are grey and end in a dot.

    Of more than ``MOST`` trials the best one and an even choice of the others are drawn.
    """
    best = the_best(trials, mode)
    with_curve = [trial for trial in trials if any(value is not None for _, value in trial.curve)]
    others = [trial for trial in with_curve if best is None or trial.number != best.number]
    shown = others[:: -(-len(others) // MOST) or 1]
    figure = new_figure(f"{metric} over the epochs of each trial of the sweep", WIDTH, 3.4)
    axes = figure.add_subplot()
    # all that was validated belongs to the axis, but for what diverged
    values = [value for trial in shown + [best] * bool(best) for _, value in trial.curve if value is not None]
    scale = MetricScale(values, mode)
    scale.apply(axes)
    faint = len(shown) >= MANY
    most = max(20, MOST_POINTS // max(1, len(shown)))
    curves = {status: [_points(trial, most) for trial in shown if trial.status == status] for status in IN_WORDS}
    curves["stopped"] += [_points(trial, most) for trial in shown if trial.status not in IN_WORDS]
    _draw(axes, curves["stopped"], MUTED, "stopped early", 0.3 if faint else 0.6, ends="o")
    _draw(axes, curves["finished"], BLUE, "finished", 0.4 if faint else 0.75)
    _draw(axes, [points for status in FAILED for points in curves[status]], VERMILION, "failed", 0.5, ends="x")
    if best:
        own = _points(best, MOST_POINTS)
        label = f"best: trial {best.number}"
        axes.plot(*zip(*own, strict=True), color=VERMILION, linewidth=2.2, label=label, zorder=4)
        peak = next(epoch for epoch, value in best.curve if value == best.best)
        axes.plot(peak, best.best, "o", color=VERMILION, markersize=6, zorder=5)
    some = f" ({len(shown) + bool(best)} of {len(with_curve)} trials)" if len(shown) < len(others) else ""
    axes.set(xlabel=f"epoch{some}", ylabel=shortened(metric, 32))
    axes.set_xlim(*_epochs(with_curve))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    legend_above(figure, axes)
    return figure


def _points(trial: SweepTrial, most: int) -> Points:
    """The curve without what was no number, in at most about ``most`` points, the last one among them."""
    points = [(float(epoch), value) for epoch, value in trial.curve if value is not None]
    every = -(-len(points) // most)
    return points[:: every or 1] + ([points[-1]] if every > 1 and (len(points) - 1) % every else [])


def _draw(axes: Axes, curves: list[Points], colour: str, label: str, alpha: float, ends: str = "") -> None:
    if not curves:
        return
    width = 0.7 if len(curves) >= MANY else 1.1
    axes.add_collection(
        LineCollection(curves, colors=colour, linewidths=width, alpha=alpha, label=f"{label}: {len(curves)}")
    )
    alone = [points[0] for points in curves if len(points) == 1]
    ended = [points[-1] for points in curves] if ends else alone
    if ended:
        size = 3.2 if len(curves) >= MANY else 4.2
        strength = min(1.0, alpha + 0.15)
        axes.plot(*zip(*ended, strict=True), ends or "o", color=colour, markersize=size, alpha=strength)


def _epochs(trials: Sequence[SweepTrial]) -> tuple[float, float]:
    epochs = [epoch for trial in trials for epoch, _ in trial.curve] or [1]
    room = max(0.3, 0.02 * (max(epochs) - min(epochs)))
    return min(epochs) - room, max(epochs) + room
