"""What the page tells of a plan: which GPUs the training fits, what each would have taken, what was asked for."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snaketorch import layout
from snaketorch.freshness import read_json
from snaketorch.report.results import Experiment

FILE = Path(layout.PLAN).name
GIB = 2**30


@dataclass(frozen=True)
class Candidate:
    """One kind of GPU, as it is shown."""

    name: str
    is_chosen: bool
    is_certain: bool
    """Whether the figures of the catalogue can be trusted."""
    fits: str
    needs: float
    """GiB, a safe bound."""
    usable: float
    """GiB."""
    largest_batch_size: int | None
    precision: str
    seconds: float
    energy_kwh: float
    money: float | None


@dataclass(frozen=True)
class Plan:
    """One ``plan.json``."""

    content: dict[str, Any]
    candidates: list[Candidate]

    @property
    def has_prices(self) -> bool:
        """Whether money is worth a column."""
        return any(candidate.money is not None for candidate in self.candidates)

    @property
    def asked(self) -> list[str]:
        """What the plan says for each key that `resources` may leave to it, as it would be written."""
        chosen = self.content["chosen"]
        numbers = [f"{key}: {chosen[key]:g}" for key in ("memory_gb", "hours")]
        return numbers + [f"{key}: {chosen[key]}" for key in ("gpu_model", "partition") if chosen[key]]


def plans(experiments: Iterable[Experiment], planned: Collection[str]) -> dict[str, Plan]:
    """The plan of each of the ``planned`` experiments, by name. UserError when one is missing."""
    return {experiment.name: _read(experiment) for experiment in experiments if experiment.name in planned}


def _read(experiment: Experiment) -> Plan:
    content, _ = read_json(experiment.folder / FILE)
    chosen = content["chosen"]["gpu"]
    return Plan(content, [_candidate(gpu, chosen) for gpu in content["gpus"]])


def _candidate(gpu: dict[str, Any], chosen: str | None) -> Candidate:
    return Candidate(
        name=gpu["name"],
        is_chosen=gpu["name"] == chosen,
        is_certain=gpu["certainty"] != "low",
        fits="yes" if gpu["fits"] else "maybe" if gpu["tight"] else "no",
        needs=gpu["memory"]["upper_bound"] / GIB,
        usable=gpu["usable"] / GIB,
        largest_batch_size=gpu["largest_batch_size"],
        precision=gpu["precision"],
        seconds=gpu["seconds"],
        energy_kwh=gpu["energy_wh"] / 1000,
        money=gpu["money"],
    )
