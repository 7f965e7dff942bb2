"""The model that asks to be registered: its bundle, and what its tests say, read only if they belong together."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from snaketorch.config.specs import RegisterSpec
from snaketorch.errors import UserError
from snaketorch.freshness import Now, outdated_summary, read_json, refuse, stale
from snaketorch.inference.bundle import DESCRIPTION, bundle_sha256
from snaketorch.provenance import file_sha256


@dataclass(frozen=True)
class Measured:
    """A metric of an experiment's tests, and which of its models is meant."""

    metric: str
    mode: str
    """Which way it is better."""
    seed: int
    """Of the model that is meant."""
    values: dict[str, float | None]
    """By seed; None where the test could not measure it."""
    ci95: list[float] | None
    """Of their mean."""
    task: dict[str, Any]
    """The task's section, with the keys that only the test reads."""
    data_digest: str
    predictions: Path
    """Of the model that is meant."""

    @property
    def value(self) -> float | None:
        """Of the model that is meant."""
        return self.values[str(self.seed)]


@dataclass(frozen=True)
class Candidate:
    """A model with its tests."""

    bundle: Path
    bundle_sha256: str
    summary: dict[str, Any]
    summary_sha256: str
    record: dict[str, Any]
    """Of its training."""
    tested: Measured

    def as_json(self) -> dict[str, Any]:
        """For ``registration.json``."""
        found = self.tested
        return {
            "seed": found.seed,
            "metric": found.metric,
            "mode": found.mode,
            "value": found.value,
            "ci95": found.ci95,
            "n": len(found.values),
        }


def read_candidate(spec: RegisterSpec, summary: Path, bundle: Path, data_digest: str) -> Candidate:
    """Reads the files beside ``summary``.

    UserError when one is missing or out of date, or the bundle is of another model than the summary tells of.
    """
    content, summary_sha256 = read_json(summary)
    refuse(outdated_summary(summary, content, Now(), cache(file_sha256)))
    lineage = _lineage(bundle)
    seed, metric = lineage["seed"], spec.gate.metric
    folder = summary.parent / f"seed-{seed}"
    told = content["inputs"].get(str(seed), {}).get("model")
    if (lineage["experiment"], lineage["model_sha256"], lineage["data_digest"]) != (spec.experiment, told, data_digest):
        raise stale(bundle, f"is of another model, or of other data, than {summary} tells of")
    if metric not in content["metrics"]:
        raise UserError(f"{summary}: has no {metric}; allowed: {', '.join(content['metrics'])}")
    found, metrics = content["metrics"][metric], read_json(folder / "metrics.json")[0]
    tested = Measured(
        metric=metric,
        mode=content["modes"][metric],
        seed=seed,
        values=found["values"],
        ci95=found["ci95"],
        task=metrics["task"],
        data_digest=data_digest,
        predictions=folder / "predictions.parquet",
    )
    record, _ = read_json(folder / "record.json")
    return Candidate(bundle, bundle_sha256(bundle), content, summary_sha256, record, tested)


def _lineage(bundle: Path) -> dict[str, Any]:
    try:
        return json.loads((bundle / DESCRIPTION).read_text("utf-8"))["lineage"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{bundle} is not a bundle that Snaketorch wrote, or it is damaged: {error}") from error
