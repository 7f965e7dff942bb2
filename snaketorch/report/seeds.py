"""The results of an experiment's seeds, read only if they belong together."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from snaketorch.config.base import Section
from snaketorch.config.specs import EvaluateSpec, SummariseSpec, TrainSpec
from snaketorch.errors import UserError
from snaketorch.provenance import file_sha256
from snaketorch.report.freshness import read_json, stale

OUTPUTS = {"model": "model.ckpt", "history": "history.csv", "predictions": "predictions.parquet"}
"""Names of outputs in records, and their files beside them."""


@dataclass(frozen=True)
class SeedResult:
    """One training and its test."""

    seed: int
    metrics: dict[str, Any]
    record: dict[str, Any]
    digests: dict[str, str]
    """SHA-256 of ``metrics``, ``record`` and ``model``."""


def read_seeds(spec: SummariseSpec, metrics: list[Path], records: list[Path]) -> list[SeedResult]:
    """The seeds of ``spec``, in its order. UserError for results that are missing, mixed up or out of date."""
    found = {
        result.seed: result
        for metrics_path, record_path in _pairs(metrics, records)
        for result in [_read_seed(spec, metrics_path, record_path)]
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


def _read_seed(spec: SummariseSpec, metrics_path: Path, record_path: Path) -> SeedResult:
    record, record_sha256 = read_json(record_path)
    _require_spec(record_path, record["spec"], _training(spec, record["seed"]))
    _require_outputs(record_path, record["outputs"])

    metrics, metrics_sha256 = read_json(metrics_path)
    test = metrics["record"]
    _require_spec(metrics_path, test["spec"], _test(spec, record["seed"]))
    if test["inputs"]["model"]["sha256"] != record["outputs"]["model"]:
        raise stale(metrics_path, "tells of another model than the one beside it, which was trained since")
    if test["inputs"]["manifest"]["digest"] != record["inputs"]["manifest"]["digest"]:
        raise stale(metrics_path, f"the test and the training saw different versions of the data '{metrics['data']}'")
    _require_outputs(metrics_path, test["outputs"])

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


def _require_spec(path: Path, recorded: dict[str, Any], expected: Section) -> None:
    try:
        same = type(expected).model_validate(recorded) == expected
    except ValidationError:
        same = False
    if not same:
        raise stale(path, "was made with another configuration than the experiment has now")


def _require_outputs(path: Path, outputs: dict[str, str]) -> None:
    for name, sha256 in outputs.items():
        file = path.with_name(OUTPUTS[name])
        if not file.exists():
            raise stale(file, "is missing")
        if file_sha256(file) != sha256:
            raise stale(file, f"is not the file that {path.name} tells of")


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
