"""What the page tells of an experiment's way into the model registry: the gate, its numbers, what came of it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snaketorch.freshness import read_json, stale
from snaketorch.provenance import file_sha256
from snaketorch.report.results import Experiment

FILE = "registration.json"


@dataclass(frozen=True)
class Registration:
    """One ``registration.json``."""

    path: Path
    content: dict[str, Any]

    @property
    def conditions(self) -> list[str]:
        """What the gate asks for, in words."""
        gate = self.content["gate"]
        asked = [f"at least {gate['min']:g}"] if gate["min"] is not None else []
        asked += [f"at most {gate['max']:g}"] if gate["max"] is not None else []
        if gate["not_worse_than"]:
            by = f" by more than {gate['margin']:g}" if gate["margin"] else ""
            asked.append(f"not worse{by} than the {gate['not_worse_than']}")
        return asked

    @property
    def aliases(self) -> list[str]:
        """Those that the version had then."""
        return [alias for alias, version in self.content["aliases"].items() if version == self.content["version"]]


def registrations(experiments: Iterable[Experiment], registered: Collection[str]) -> dict[str, Registration]:
    """What came of each of the ``registered`` experiments' gates, by name.

    UserError when it is missing, or of an earlier summary.
    """
    return {experiment.name: _read(experiment) for experiment in experiments if experiment.name in registered}


def _read(experiment: Experiment) -> Registration:
    path = experiment.folder / FILE
    content, _ = read_json(path)
    summary = experiment.folder / "summary.json"
    if content["record"]["inputs"]["summary"]["sha256"] != file_sha256(summary):
        raise stale(path, f"was made before {summary} changed")
    return Registration(path, content)
