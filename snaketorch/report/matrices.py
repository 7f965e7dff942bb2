"""The experiments of a matrix side by side: one table, a row for each combination of values."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snaketorch.report.interval_plot import Axis, IntervalPlot, common_axis, interval_plot
from snaketorch.report.leaderboard import comparable
from snaketorch.report.results import Experiment
from snaketorch.report.sweeps import shown

SAYS_NOTHING = ("description", "extends", "abstract", "matrix", "tune", "resources", "evaluate", "checkpoint")
"""Keys that say what a file is, or that follow from others."""
MISSING = object()


@dataclass(frozen=True)
class Row:
    """One experiment of a matrix."""

    experiment: Experiment
    values: list[str]
    """In the order of the keys."""
    plot: IntervalPlot | None
    is_best: bool


@dataclass(frozen=True)
class Matrix:
    """The experiments that one file makes, in the order of its values."""

    name: str
    keys: list[str]
    """That differ between the experiments."""
    goal: str
    mode: str
    axis: Axis | None
    """None where their numbers may not stand side by side, or nothing was measured."""
    rows: list[Row]


def matrices(families: Mapping[str, Sequence[str]], experiments: Sequence[Experiment]) -> list[Matrix]:
    """The table of each matrix of ``families``, which has the names of its experiments."""
    by_name = {experiment.name: experiment for experiment in experiments}
    return [_matrix(name, [by_name[member] for member in members]) for name, members in families.items()]


def _matrix(name: str, members: Sequence[Experiment]) -> Matrix:
    configs = [dict(_leaves(member.summary["record"]["spec"]["config"])) for member in members]
    keys = varied(configs)
    first = members[0].summary
    same = len({comparable(member) for member in members}) == 1
    measured = [member for member in members if member.goal["mean"] is not None]
    axis = common_axis((member.goal for member in measured), []) if same else None
    pick = max if first["mode"] == "max" else min
    best = pick(measured, key=lambda member: member.goal["mean"], default=None) if same else None
    rows = [
        Row(
            member,
            [shown(config[key]) if key in config else "–" for key in keys],
            interval_plot(member.goal, axis) if axis else None,
            member is best and len(members) > 1,
        )
        for member, config in zip(members, configs, strict=True)
    ]
    return Matrix(name, keys, first["goal"], first["mode"], axis, rows)


def varied(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys of which not all of ``configs`` have the same value.

    What only follows from the ``kind`` of its section is left out: another model has other keys.
    """
    names = dict.fromkeys(name for config in configs for name in config)
    return [name for name in names if _differs(name, configs) and not _follows(name, configs)]


def _differs(name: str, configs: Sequence[Mapping[str, Any]]) -> bool:
    first = configs[0].get(name, MISSING)
    return any(config.get(name, MISSING) != first for config in configs)


def _follows(name: str, configs: Sequence[Mapping[str, Any]]) -> bool:
    kind = f"{name.rpartition('.')[0]}.kind"
    if name == kind or not _differs(kind, configs):
        return False
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for config in configs:
        groups.setdefault(str(config.get(kind)), []).append(config)
    return not any(_differs(name, group) for group in groups.values())


def _leaves(section: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in section.items():
        if before or key not in SAYS_NOTHING:
            if isinstance(value, dict):
                yield from _leaves(value, f"{before}{key}.")
            else:
                yield f"{before}{key}", value
