"""Tables that rank experiments, each of experiments that can be compared."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snaketorch.report.interval_plot import Axis, IntervalPlot, common_axis, interval_plot
from snaketorch.report.results import Experiment

ROUNDING = 1e-9
"""By which share a baseline may differ between machines: their processors add in other orders."""


@dataclass(frozen=True)
class Row:
    """An experiment in a table."""

    experiment: Experiment
    plot: IntervalPlot | None
    is_best: bool
    matrix: str = ""
    """The matrix that it was made of, where that has others in the table."""
    of: int = 0
    """How many of them there are."""
    is_folded: bool = False
    """Whether a better one of the same matrix stands for it."""


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
    apart: str
    """What sets it apart from other tables of this goal on these data, such as `3 steps ahead`; empty where it is the
    only one."""
    mode: str
    tasks: list[str]
    tested: int
    unit: str
    """What ``tested`` counts: `samples` or `tokens`."""
    axis: Axis | None
    rows: list[Row]
    baselines: list[Baseline]

    @property
    def best(self) -> Experiment | None:
        """The experiment with the best mean; None where nothing was measured."""
        return next((row.experiment for row in self.rows if row.is_best), None)


def leaderboards(experiments: Iterable[Experiment], matrices: Mapping[str, Sequence[str]] | None = None) -> list[Board]:
    """One table for each group of comparable experiments, in the order in which the groups appear.

    Of each of ``matrices``, which have the names of their experiments, the best one stands for all in a table.
    """
    matrix_of = {member: name for name, members in (matrices or {}).items() for member in members}
    groups: dict[tuple, list[Experiment]] = {}
    for experiment in experiments:
        groups.setdefault(comparable(experiment), []).append(experiment)
    named = Counter(key[:2] for key in groups)
    return [_board(group, _apart(group[0]) if named[key[:2]] > 1 else "", matrix_of) for key, group in groups.items()]


def best_first(boards: Iterable[Board]) -> list[Experiment]:
    """All experiments by their place: the winners of all tables, then the runners-up, and so on."""
    placed = [(place, row.experiment) for board in boards for place, row in enumerate(board.rows)]
    return [experiment for _, experiment in sorted(placed, key=lambda pair: pair[0])]


def comparable(experiment: Experiment) -> tuple:
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
        *_tested(metrics),
        metrics["task"].get("horizon"),
        tuple(metrics["task"].get("targets") or ()),
        features and features["from_experiment"],
        model and model["sha256"],
    )


def _tested(metrics: dict[str, Any]) -> tuple[int, str]:
    """How much the test asked, and what that counts: each token of a text once, in as few windows as may be."""
    if metrics["task"]["kind"] == "language_modelling":
        return metrics["details"]["tokens"], "tokens"
    return metrics["samples"], "samples"


def _apart(experiment: Experiment) -> str:
    """What is measured beside the goal, in words; empty where nothing is."""
    task = experiment.seeds[0].metrics["task"]
    parts = []
    if experiment.summary["task"] == "gan":
        features = task.get("features")
        parts.append(f"by what {features['from_experiment']} sees" if features else "by pixels")
    if steps := task.get("horizon"):
        parts.append(f"{steps} step{'s' if steps > 1 else ''} ahead")
    if targets := task.get("targets"):
        parts.append(f"of {' and '.join(targets)}")
    return ", ".join(parts)


def _board(group: Sequence[Experiment], apart: str, matrix_of: Mapping[str, str]) -> Board:
    first = group[0]
    goal, mode = first.summary["goal"], first.summary["mode"]
    baselines = dict(_baselines(group, goal))
    tested, unit = _tested(first.seeds[0].metrics)
    axis = common_axis((experiment.goal for experiment in group), baselines.values())
    ranked = sorted(group, key=lambda experiment: _rank(experiment.goal, mode))
    return Board(
        data=first.summary["data"],
        goal=goal,
        apart=apart,
        mode=mode,
        tasks=list(dict.fromkeys(experiment.summary["task"] for experiment in group)),
        tested=tested,
        unit=unit,
        axis=axis,
        rows=list(_rows(ranked, axis, matrix_of)),
        baselines=[
            Baseline(name, value, axis and axis.x(value), bool(axis) and axis.low <= value <= axis.high)
            for name, value in sorted(baselines.items(), key=lambda item: item[1], reverse=mode == "max")
        ],
    )


def _rows(ranked: Sequence[Experiment], axis: Axis | None, matrix_of: Mapping[str, str]) -> Iterator[Row]:
    sizes = Counter(matrix_of[experiment.name] for experiment in ranked if experiment.name in matrix_of)
    seen: set[str] = set()
    for experiment in ranked:
        matrix = matrix_of.get(experiment.name, "")
        matrix = matrix if sizes[matrix] > 1 else ""
        yield Row(
            experiment,
            interval_plot(experiment.goal, axis) if axis else None,
            is_best=experiment is ranked[0] and experiment.goal["mean"] is not None,
            matrix=matrix,
            of=sizes[matrix],
            is_folded=matrix in seen,
        )
        seen.update({matrix} - {""})


def _baselines(group: Iterable[Experiment], goal: str) -> Iterator[tuple[str, float]]:
    """The baselines of a group by name; one that differs between experiments says whose it is."""
    found: dict[str, dict[str, float]] = {}
    for experiment in group:
        for name, metrics in experiment.summary["baselines"].items():
            if metrics.get(goal) is not None:
                found.setdefault(name, {})[experiment.name] = metrics[goal]
    for name, values in found.items():
        first = next(iter(values.values()))
        if all(math.isclose(value, first, rel_tol=ROUNDING) for value in values.values()):
            yield name, first
        else:
            yield from ((f"{name} ({experiment})", value) for experiment, value in values.items())


def _rank(metric: dict[str, Any], mode: str) -> tuple[bool, float]:
    mean = metric["mean"]
    return mean is None, 0.0 if mean is None else -mean if mode == "max" else mean
