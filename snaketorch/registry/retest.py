"""A bundle from elsewhere tested on this study's test data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from snaketorch.data.manifest import Manifest
from snaketorch.errors import UserError
from snaketorch.evaluation.outcome import Case
from snaketorch.evaluation.predict import in_batches_that_fit, predicted
from snaketorch.implementation import resolve
from snaketorch.inference.bundle import load_bundle
from snaketorch.tasks import samples_of

BATCH_SIZE = 256
OF_THE_TRAINING = ("dataset", "digest", "class_counts", "training_samples", "statistics")
"""What may differ in the facts: it is of the model's own training data, and the model goes on with it."""

OF_THE_QUESTION = ("horizon", "targets")
"""Keys of a task without which a metric says something else."""


@dataclass(frozen=True)
class Retest:
    """What a model does on other test data than its own."""

    value: float | None
    predictions: pa.Table
    task: dict[str, Any]


def retest(bundle: Path, manifest: Path, metric: str, tested_with: Mapping[str, Any]) -> Retest:
    """Measures ``metric`` of a model, as the test of a training does.

    Args:
        bundle: See ``snaketorch.inference.bundle``.
        manifest: The prepared dataset, whose test split is used.
        metric: Such as ``test/accuracy``.
        tested_with: The section of the other model's task, whose keys that only a test reads are taken.

    Raises:
        UserError: The bundle is damaged, or its model is for other data or measures no such metric.
    """
    name = metric.removeprefix("test/")
    predictor, dataset = load_bundle(bundle), Manifest.load(manifest)
    task, options = predictor.task, predictor.task.options
    if options.kind != tested_with["kind"] or name not in options.metrics:
        raise UserError(f"it is for {options.kind.replace('_', ' ')} and measures no {metric}")
    if other := [key for key in OF_THE_QUESTION if getattr(options, key, None) != tested_with.get(key)]:
        raise UserError(f"it answers another question (task.{', task.'.join(other)})")
    if different := _differences(predictor.facts, dataset.facts()):
        raise UserError(f"it was trained on data with other {', '.join(different)}")
    if needs := list(options.upstream):
        raise UserError(f"its test needs models of other experiments ({', '.join(needs)})")
    task.options = options.model_copy(update={key: tested_with[key] for key in options.test_keys if key in tested_with})
    dataset.verify()
    samples = samples_of(task, dataset, "test")
    values, _ = in_batches_that_fit(lambda size: predicted(task, samples, size, predictor.device), BATCH_SIZE)
    outcome = resolve(task.options.evaluator)(Case(task.options, dataset, values, [name], 1, task))
    return Retest(outcome.metrics[name], outcome.predictions, task.options.model_dump(mode="json"))


def _differences(theirs: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """What two models know of their data that cannot be compared."""
    theirs, ours = _without_training(theirs), _without_training(json.loads(json.dumps(ours)))
    return [key for key in sorted({*theirs, *ours}) if theirs.get(key) != ours.get(key)]


def _without_training(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_training(part) for key, part in value.items() if key not in OF_THE_TRAINING}
    return value
