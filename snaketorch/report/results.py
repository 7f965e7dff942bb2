"""What the study page reads of an experiment: files that belong together, or an error."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from snaketorch.figures.history import History, read_history
from snaketorch.freshness import Now, Sha256, outdated_summary, outdated_training, read_json, refuse, stale
from snaketorch.provenance import file_sha256


@dataclass(frozen=True)
class Seed:
    """One training with its test."""

    seed: int
    folder: Path
    metrics: dict[str, Any]
    record: dict[str, Any]
    history: History


@dataclass(frozen=True)
class Experiment:
    """One experiment over its seeds."""

    name: str
    folder: Path
    summary: dict[str, Any]
    config: str
    """The resolved configuration, YAML."""
    seeds: list[Seed]
    manifest: dict[str, Any]
    """Of its dataset."""

    @property
    def goal(self) -> dict[str, Any]:
        """Mean, interval and values of the metric that ranks."""
        return self.summary["metrics"][self.summary["goal"]]


def read_experiment(results: Path, study: str, name: str) -> Experiment:
    """Experiment ``name`` of ``study``. UserError when a file is missing or changed after the summary was made."""
    folder = results / "experiments" / name
    path = folder / "summary.json"
    summary, _ = read_json(path)
    if (summary["experiment"], summary["study"]) != (name, study):
        raise stale(path, f"is of experiment '{summary['experiment']}' in study '{summary['study']}'")
    sha256 = cache(file_sha256)  # a model is compared with its summary and with its record
    refuse(outdated_summary(path, summary, Now(), sha256))

    manifest, _ = read_json(results / "datasets" / summary["data"] / "manifest.json")
    now = Now(data=manifest["digest"])
    seeds = [_read_seed(folder / f"seed-{seed}", seed, now, sha256) for seed in summary["seeds"]]
    return Experiment(name, folder, summary, (folder / "config.yaml").read_text("utf-8"), seeds, manifest)


def _read_seed(folder: Path, seed: int, now: Now, sha256: Sha256) -> Seed:
    metrics, _ = read_json(folder / "metrics.json")
    record, _ = read_json(folder / "record.json")
    refuse(outdated_training(folder / "record.json", record, now, sha256))
    return Seed(seed, folder, metrics, record, read_history(folder / "history.csv"))
