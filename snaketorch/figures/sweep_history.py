"""How a sweep went: the metric of each trial in the order in which they were tried."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from snaketorch.figures.style import INK, PAPER, WIDTH, house_style, legend_above, new_figure, shortened
from snaketorch.figures.sweep_scales import MetricScale
from snaketorch.figures.sweep_trials import FAILED, IN_WORDS, LOOKS, MANY, SweepTrial, of_status, the_best


@house_style
def sweep_history_figure(trials: Sequence[SweepTrial], metric: str, mode: str) -> Figure:
    """A mark a trial, and the best so far as a line; trials that failed stand along the lower edge."""
    figure = new_figure(f"{metric} of each trial of the sweep, and the best so far", WIDTH, 3.2)
    axes = figure.add_subplot()
    measured = [trial for trial in trials if trial.is_measured]
    scale = MetricScale([trial.best for trial in measured], mode)
    scale.apply(axes)
    for status in ("finished", "stopped"):
        _mark(axes, of_status(trials, status), status, scale)
    _mark_beyond(axes, measured, scale)
    _best_so_far(axes, measured, scale, mode)
    for status in FAILED:
        failed = of_status(trials, status)
        if failed:
            numbers = [trial.number for trial in failed]
            label = f"{IN_WORDS[status]}: {len(failed)}"
            axes.plot(
                numbers,
                [0.03] * len(failed),
                linestyle="none",
                label=label,
                transform=axes.get_xaxis_transform(),
                clip_on=False,
                zorder=4,
                **LOOKS[status],
            )
    axes.set(xlabel="trial", ylabel=shortened(metric, 32))
    numbers = [trial.number for trial in trials] or [0]
    room = max(0.5, 0.02 * (max(numbers) - min(numbers)))
    axes.set_xlim(min(numbers) - room, max(numbers) + room)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    legend_above(figure, axes)
    return figure


def _mark(axes: Axes, trials: Sequence[SweepTrial], status: str, scale: MetricScale) -> None:
    inside = [trial for trial in trials if not scale.is_beyond(trial.best)]
    if trials:
        axes.plot(
            [trial.number for trial in inside],
            [trial.best for trial in inside],
            linestyle="none",
            alpha=0.85 if len(trials) < MANY else 0.55,
            label=f"{IN_WORDS[status]}: {len(trials)}",
            **LOOKS[status],
        )


def _mark_beyond(axes: Axes, trials: Sequence[SweepTrial], scale: MetricScale) -> None:
    beyond = [trial for trial in trials if scale.is_beyond(trial.best)]
    if beyond:
        axes.plot(
            [trial.number for trial in beyond],
            [scale.placed(trial.best) for trial in beyond],
            linestyle="none",
            label=f"beyond the axis: {len(beyond)}",
            **scale.beyond_look,
        )


def _best_so_far(axes: Axes, measured: Sequence[SweepTrial], scale: MetricScale, mode: str) -> None:
    if not measured:
        return
    best = the_best(measured, mode)
    ordered = sorted(measured, key=lambda trial: trial.number)
    pick = max if mode == "max" else min
    so_far = [pick(trial.best for trial in ordered[: index + 1]) for index in range(len(ordered))]
    placed = [scale.placed(value) for value in so_far]
    numbers = [trial.number for trial in ordered]
    axes.plot(numbers, placed, drawstyle="steps-post", color=INK, linewidth=1.4, label="best so far", zorder=3)
    axes.plot(
        best.number,
        best.best,
        linestyle="none",
        marker="o",
        markersize=7,
        markerfacecolor=INK,
        markeredgecolor=PAPER,
        label=f"best: trial {best.number}, {best.best:.4g}",
        zorder=5,
    )
