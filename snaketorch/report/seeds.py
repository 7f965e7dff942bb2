"""The results of an experiment's seeds, read only if they belong together."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snaketorch.config.base import Section
from snaketorch.config.best import Best
from snaketorch.config.specs import EvaluateSpec, SummariseSpec, TrainSpec
from snaketorch.errors import UserError
from snaketorch.freshness import Now, outdated_test, outdated_training, read_json, refuse, stale
from snaketorch.provenance import file_sha256


@dataclass(frozen=True)
class SeedResult:
    """One training and its test."""

    seed: int
    metrics: dict[str, Any]
    record: dict[str, Any]
    digests: dict[str, str]
    """SHA-256 of ``metrics``, ``record`` and ``model``."""


def read_seeds(
    spec: SummariseSpec, metrics: list[Path], records: list[Path], best: Best | None = None
) -> list[SeedResult]:
    """The seeds of ``spec``, in its order. UserError for results that are missing, mixed up or out of date."""
    found = {
        result.seed: result
        for metrics_path, record_path in _pairs(metrics, records)
        for result in [_read_seed(spec, metrics_path, record_path, best)]
    }
    expected = spec.config.seeds
    if sorted(found) != sorted(expected) or len(metrics) != len(expected):
        raise UserError(
            f"{spec.experiment}: results of seeds {_listed(found)} do not make the experiment, which has seeds "
            f"{_listed(expected)}; run snakemake for results/experiments/{spec.experiment}/summary.json"
        )
    seeds = [found[seed] for seed in expected]
    _require_same(seeds, records)
    return seeds


def _pairs(metrics: list[Path], records: list[Path]) -> Iterator[tuple[Path, Path]]:
    """The two files of each seed lie in one folder."""
    by_folder = {path.parent: path for path in records}
    for path in metrics:
        if path.parent not in by_folder:
            raise UserError(f"{path}: has no record.json beside it; give the metrics and the record of every seed")
        yield path, by_folder[path.parent]


def _read_seed(spec: SummariseSpec, metrics_path: Path, record_path: Path, best: Best | None) -> SeedResult:
    record, record_sha256 = read_json(record_path)
    training = _training(spec, record["seed"])
    if best:
        training = best.put_into(training)
    refuse(outdated_training(record_path, record, _now(training), file_sha256))
    metrics, metrics_sha256 = read_json(metrics_path)
    refuse(outdated_test(metrics_path, metrics, record, _now(_test(spec, record["seed"])), file_sha256))
    digests = {"metrics": metrics_sha256, "record": record_sha256, "model": record["outputs"]["model"]}
    return SeedResult(record["seed"], metrics, record, digests)


def _training(spec: SummariseSpec, seed: int) -> TrainSpec:
    parts = _parts(spec, TrainSpec) | {"task": spec.config.task.for_training}
    return TrainSpec(experiment=spec.experiment, seed=seed, **parts)


def _test(spec: SummariseSpec, seed: int) -> EvaluateSpec:
    return EvaluateSpec(experiment=spec.experiment, seed=seed, **_parts(spec, EvaluateSpec))


def _parts(spec: SummariseSpec, step: type[Section]) -> dict[str, Any]:
    """What ``step`` takes from the configuration of the experiment."""
    return {name: getattr(spec.config, name) for name in step.model_fields if name not in ("experiment", "seed")}


def _now(spec: Section) -> Now:
    return Now(spec=spec.model_dump(mode="json"))


def _require_same(seeds: list[SeedResult], records: list[Path]) -> None:
    """Seeds differ in their random numbers and in nothing else."""
    first = seeds[0]
    for result in seeds[1:]:
        path = next(path for path in records if path.parent.name == f"seed-{result.seed}")
        if result.record["inputs"]["manifest"]["digest"] != first.record["inputs"]["manifest"]["digest"]:
            raise stale(path, f"seed {result.seed} was trained on other data than seed {first.seed}")
        if result.record["group_key"] != first.record["group_key"]:
            raise stale(path, f"seed {result.seed} belongs to another run of the experiment than seed {first.seed}")
        if result.metrics["modes"] != first.metrics["modes"] or result.metrics["goal"] != first.metrics["goal"]:
            raise stale(path.with_name("metrics.json"), "has other metrics than the other seeds")


def _listed(seeds) -> str:
    return ", ".join(map(str, sorted(seeds))) or "none"
