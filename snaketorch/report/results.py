"""What the study page reads of an experiment: files that belong together, or an error."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snaketorch.figures.history import History, read_history
from snaketorch.provenance import file_sha256
from snaketorch.report.freshness import read_json, stale


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
    _require(folder / "config.yaml", summary["record"]["outputs"]["config"], path)

    seeds = [_read_seed(folder / f"seed-{seed}", seed, summary["inputs"][str(seed)], path) for seed in summary["seeds"]]
    manifest, _ = read_json(results / "datasets" / summary["data"] / "manifest.json")
    for seed in seeds:
        if seed.record["inputs"]["manifest"]["digest"] != manifest["digest"]:
            raise stale(seed.folder / "model.ckpt", f"was trained on another version of the data '{summary['data']}'")
    return Experiment(name, folder, summary, (folder / "config.yaml").read_text("utf-8"), seeds, manifest)


def _read_seed(folder: Path, seed: int, digests: dict[str, str], summary: Path) -> Seed:
    files = {"metrics": "metrics.json", "record": "record.json", "model": "model.ckpt"}
    for name, file in files.items():
        _require(folder / file, digests[name], summary)
    metrics, _ = read_json(folder / "metrics.json")
    record, _ = read_json(folder / "record.json")
    _require(folder / "history.csv", record["outputs"]["history"], folder / "record.json")
    return Seed(seed, folder, metrics, record, read_history(folder / "history.csv"))


def _require(path: Path, sha256: str, told_by: Path) -> None:
    """UserError unless ``path`` has the bytes that ``told_by`` was made from."""
    if not path.exists():
        raise stale(path, "is missing")
    if file_sha256(path) != sha256:
        raise stale(told_by, f"was made before {path} changed")
