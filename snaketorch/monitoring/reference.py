"""The other side of a comparison: the data that the model was trained on, and its test."""

from typing import Any

import numpy as np

from snaketorch.data.manifest import Manifest
from snaketorch.evaluation.predict import in_batches_that_fit, predicted
from snaketorch.inference.predictor import Predictor
from snaketorch.monitoring.compare import Side
from snaketorch.monitoring.describe import labels_of_dataset, profile_of_dataset
from snaketorch.monitoring.new_data import UNREADABLE
from snaketorch.monitoring.outputs import of_test
from snaketorch.monitoring.profile import Profile
from snaketorch.tasks import samples_of


def reference_of(manifest: Manifest, predictor: Predictor) -> Side:
    """What new data is compared with.

    Predictions are those of the test split, which the model has not seen: of its training data it is too sure.
    """
    profile = profile_of_dataset(manifest).with_others(Profile(flags=_once_missing(manifest)))
    values, _ = in_batches_that_fit(
        lambda size: predicted(predictor.task, samples_of(predictor.task, manifest, "test"), size, predictor.device),
        predictor.batch_size,
    )
    return Side(profile, labels_of_dataset(manifest), of_test(values, manifest.classes))


def _once_missing(manifest: Manifest) -> dict[str, np.ndarray]:
    """What was missing or could not be read when the training data was prepared, whose arrays no longer show it."""
    facts, skipped = manifest.report.get("facts", {}), manifest.report.get("skipped", [])
    rows = sum(split.count for split in manifest.splits.values())
    columns = [name for field in ("number", "category") for name in manifest.fields.get(field, {}).get("names", [])]
    counts = {name: 0 for name in columns if {"number", "category"} & manifest.fields.keys()}
    counts |= {name: told["values"] for name, told in facts.get("missing numbers", {}).items()}
    counts |= facts.get("missing categories", {})
    flags = {f"missing {name}": _first(count, rows) for name, count in counts.items()}
    return flags | {UNREADABLE: _first(len(skipped), rows + len(skipped))}


def _first(count: int, rows: int) -> np.ndarray:
    return np.arange(rows) < count


def model_of(lineage: dict[str, Any]) -> dict[str, Any]:
    """Which model was watched, for people and programs."""
    wanted = ("experiment", "seed", "run_key", "data", "data_digest", "model_sha256")
    return {name: lineage[name] for name in wanted if name in lineage}
