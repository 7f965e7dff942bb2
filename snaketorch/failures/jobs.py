"""The jobs of a workflow, as their steps know them: names, and where their attempts and failures are noted."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from snaketorch.provenance import digest

NOTES = Path("state/failures")
ATTEMPTS = Path("state/jobs")


@dataclass(frozen=True)
class Job:
    """One job. All attempts at it are one job."""

    step: str
    """Of the command line, such as ``train``."""
    name: str
    """``EXPERIMENT/seed-N``, ``EXPERIMENT/DATASET``, an experiment, a dataset, or ``study``."""
    digest: str
    """Stands for its spec and its code."""
    log: str | None

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Self:
        """The job that runs a step with ``arguments``."""
        spec = _spec(arguments)
        depends_on = [spec, *(str(getattr(arguments, name, "")) for name in ("code", "source", "uses"))]
        log = str(arguments.log) if arguments.log else None
        return cls(arguments.step, _name(arguments.step, spec), digest(depends_on), log)

    @property
    def note(self) -> Path:
        """The file that says why its last attempt failed."""
        return NOTES / self.step / f"{self.name}.json"

    @property
    def states(self) -> Path:
        """Where its live state is, at or under this folder, if it has any."""
        return states_of(self.step, self.name)

    @property
    def attempts(self) -> Path:
        """The file of its attempts in this run of the workflow."""
        return ATTEMPTS / self.step / f"{self.name}.json"

    @property
    def kept_log(self) -> Path:
        """A second name of its log file: Snakemake removes the first before each attempt."""
        return ATTEMPTS / self.step / f"{self.name}.log"


def states_of(step: str, name: str) -> Path:
    """``Job.states`` of the job of that name."""
    return Path("state") / step / name


def by_hand(words: Sequence[str]) -> list[str]:
    """A step's command line without what only a workflow says, so that a person can repeat it."""
    kept = list(words)
    for option in {"--attempt", "--log"} & set(words):
        place = kept.index(option)
        del kept[place : place + 2]
    return kept


def _spec(arguments: argparse.Namespace) -> dict[str, Any]:
    try:
        spec = json.loads(getattr(arguments, "spec", "{}"))
    except ValueError:  # the step itself says so
        return {}
    return spec if isinstance(spec, dict) else {}


def _name(step: str, spec: dict[str, Any]) -> str:
    if step in ("train", "evaluate") and {"experiment", "seed"} <= spec.keys():
        return f"{spec['experiment']}/seed-{spec['seed']}"
    if step == "prepare":
        return spec.get("dataset", "study")
    if {"experiment", "dataset"} <= spec.keys():  # an experiment predicts and watches several at once
        return f"{spec['experiment']}/{spec['dataset']}"
    return spec.get("experiment", "study")
