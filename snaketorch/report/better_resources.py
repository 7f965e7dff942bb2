"""Which `resources:` an experiment should ask for, by what its trainings and tests took."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from snaketorch.report import formats
from snaketorch.report.results import Experiment

MEMORY_MARGIN, TIME_MARGIN = 1.25, 1.5
"""What is asked for, by what was taken: other machines, other seeds, a busy disk."""
START_HOURS = 0.05
"""Until a job trains: its environment, its imports."""
FAR = 2.0
"""What is asked for may be so many times what would do, before it is worth a word;"""
LEAST = {"memory_gb": 4.0, "hours": 1.0}
"""and by so much more."""
IDLE, WAITING = 0.3, 0.3
"""Utilisation of GPUs below which they are too many, and share of waiting above which data are what is lacking."""
GIB_IN_MIB, HOUR = 1024, 3600


@dataclass(frozen=True)
class Advice:
    """One key of `resources:`."""

    key: str
    asked: str
    used: str
    better: str
    """Empty when what is asked for will do."""
    why: str


def advice(experiment: Experiment) -> list[Advice]:
    """For memory and time always, for GPUs and cores where there is something to say."""
    asked = experiment.summary["record"]["spec"]["config"]["resources"]
    return [
        *_amounts(experiment, asked),
        *_gpus(experiment, asked),
        *_cores(experiment, asked),
    ]


def _amounts(experiment: Experiment, asked: dict) -> Iterator[Advice]:
    records = [seed.record for seed in experiment.seeds]
    tests = [seed.metrics for seed in experiment.seeds]
    memory = [record["usage"]["host_memory_mb"] for record in records]
    # a test is a job of the same resources; of one on a GPU that memory is known alone
    memory += [test["cost"]["peak_memory_mb"] for test in tests if test["record"]["device"]["type"] == "cpu"]
    most = max(value for value in memory if value is not None) / GIB_IN_MIB
    used = f"{most:.2g} GiB" if most < 10 else f"{most:,.0f} GiB"
    yield _amount("memory_gb", asked["memory_gb"], used, max(1.0, _up(MEMORY_MARGIN * most, 0.5)), most)
    seconds = max([record["wall_seconds"] for record in records] + [test["record"]["wall_seconds"] for test in tests])
    hours = seconds / HOUR
    yield _amount("hours", asked["hours"], formats.duration(seconds), _hours(TIME_MARGIN * hours + START_HOURS), hours)


def _amount(key: str, asked: float | str | None, used: str, enough: float, most: float) -> Advice:
    """``enough``: what was taken at ``most``, with its margin."""
    said = formats.NOTHING if asked is None else f"{asked:g}" if isinstance(asked, int | float) else str(asked)
    if not isinstance(asked, int | float):  # the plan decides
        return Advice(key, said, used, "", "as planned")
    if asked < most:
        return Advice(key, said, used, f"{enough:g}", "less than was taken: a first attempt can fail")
    if asked < enough and asked < 1.1 * most:
        return Advice(key, said, used, f"{enough:g}", "little room is left")
    if asked > FAR * enough and asked - enough >= LEAST[key]:
        return Advice(key, said, used, f"{enough:g}", "who asks for less starts earlier")
    return Advice(key, said, used, "", "it will do")


def _gpus(experiment: Experiment, asked: dict) -> Iterator[Advice]:
    busy = [seed.record["usage"]["utilisation"] for seed in experiment.seeds]
    first = experiment.seeds[0].record
    count = asked.get("gpus") or first.get("processes", 1)
    if first["device"]["type"] != "cuda" or None in busy or max(busy) >= IDLE:
        return
    used = f"{max(busy):.0%} busy".replace("%", " %")
    if count > 1:
        fewer = max(1, math.ceil(count * max(busy) / 0.9))
        yield Advice("gpus", str(count), used, str(fewer), "fewer would do the same; trainer.devices with it")
    else:
        why = "it mostly idles: larger batches, a smaller one, or more jobs on it (docs/measuring.md)"
        yield Advice("gpus", str(count), used, "", why)


def _cores(experiment: Experiment, asked: dict) -> Iterator[Advice]:
    waits = [seed.record["usage"]["data_wait_share"] for seed in experiment.seeds]
    if None in waits or max(waits) < WAITING:
        return
    cores = asked["cpus"]
    used = f"{max(waits):.0%} waiting".replace("%", " %")
    yield Advice("cpus", str(cores), used, str(2 * cores), "much of each step is reading and augmenting")


def _hours(hours: float) -> float:
    return _up(hours, 0.1 if hours < 2 else 0.5 if hours < 24 else 1.0)


def _up(value: float, step: float) -> float:
    """The next multiple of ``step``."""
    return round(math.ceil(round(value / step, 6)) * step, 6)
