"""Tables that rank experiments, each of experiments that can be compared."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from snaketorch.report.interval_plot import Axis, IntervalPlot, common_axis, interval_plot
from snaketorch.report.results import Experiment


@dataclass(frozen=True)
class Row:
    """An experiment in a table."""

    experiment: Experiment
    plot: IntervalPlot | None
    is_best: bool


@dataclass(frozen=True)
class Baseline:
    """A forecast or guess that needs no training, for comparison."""

    name: str
    value: float
    x: float | None
    is_on_axis: bool


@dataclass(frozen=True)
class Board:
    """Experiments with one goal on the same test samples, best first."""

    data: str
    goal: str
    mode: str
    tasks: list[str]
    samples: int
    axis: Axis | None
    rows: list[Row]
    baselines: list[Baseline]

    @property
    def best(self) -> Experiment | None:
        """The experiment with the best mean; None where nothing was measured."""
        return next((row.experiment for row in self.rows if row.is_best), None)


def leaderboards(experiments: Iterable[Experiment]) -> list[Board]:
    """One table for each group of comparable experiments, in the order in which the groups appear."""
    groups: dict[tuple, list[Experiment]] = {}
    for experiment in experiments:
        groups.setdefault(_comparable(experiment), []).append(experiment)
    return [_board(group) for group in groups.values()]


def best_first(boards: Iterable[Board]) -> list[Experiment]:
    """All experiments by their place: the winners of all tables, then the runners-up, and so on."""
    placed = [(place, row.experiment) for board in boards for place, row in enumerate(board.rows)]
    return [experiment for _, experiment in sorted(placed, key=lambda pair: pair[0])]


def _comparable(experiment: Experiment) -> tuple:
    """Equal for experiments whose numbers may stand side by side: one metric over one set of targets.

    A distance between features is another metric with the features of another model, or with pixels.
    """
    metrics = experiment.seeds[0].metrics
    features = metrics["task"].get("features")
    model = metrics["record"]["inputs"].get("features")
    return (
        experiment.summary["data"],
        experiment.summary["goal"],
        metrics["split"],
        metrics["samples"],
        metrics["task"].get("horizon"),
        tuple(metrics["task"].get("targets") or ()),
        features and features["from_experiment"],
        model and model["sha256"],
    )


def _board(group: Sequence[Experiment]) -> Board:
    first = group[0]
    goal, mode = first.summary["goal"], first.summary["mode"]
    baselines = dict(_baselines(group, goal))
    axis = common_axis((experiment.goal for experiment in group), baselines.values())
    ranked = sorted(group, key=lambda experiment: _rank(experiment.goal, mode))
    return Board(
        data=first.summary["data"],
        goal=goal,
        mode=mode,
        tasks=list(dict.fromkeys(experiment.summary["task"] for experiment in group)),
        samples=first.seeds[0].metrics["samples"],
        axis=axis,
        rows=[
            Row(
                experiment,
                interval_plot(experiment.goal, axis) if axis else None,
                is_best=experiment is ranked[0] and experiment.goal["mean"] is not None,
            )
            for experiment in ranked
        ],
        baselines=[
            Baseline(name, value, axis and axis.x(value), bool(axis) and axis.low <= value <= axis.high)
            for name, value in sorted(baselines.items(), key=lambda item: item[1], reverse=mode == "max")
        ],
    )


def _baselines(group: Iterable[Experiment], goal: str) -> Iterator[tuple[str, float]]:
    """The baselines of a group by name; one that differs between experiments says whose it is."""
    found: dict[str, dict[str, float]] = {}
    for experiment in group:
        for name, metrics in experiment.summary["baselines"].items():
            if metrics.get(goal) is not None:
                found.setdefault(name, {})[experiment.name] = metrics[goal]
    for name, values in found.items():
        if len(set(values.values())) == 1:
            yield name, next(iter(values.values()))
        else:
            yield from ((f"{name} ({experiment})", value) for experiment, value in values.items())


def _rank(metric: dict[str, Any], mode: str) -> tuple[bool, float]:
    mean = metric["mean"]
    return mean is None, 0.0 if mean is None else -mean if mode == "max" else mean
