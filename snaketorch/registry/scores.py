"""Metrics that are means over the samples of the test, from the predictions that a test leaves."""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

CLOSE = 1e-3
"""How far a metric made from stored predictions, which are float32, may be from the one that the test measured."""
LEAST_PROBABILITY = 1e-37


@dataclass(frozen=True)
class Scores:
    """What every sample adds to a metric."""

    values: np.ndarray
    """(N,), float64; the metric is a function of their mean."""
    metric_of: Callable[[Any], Any] = lambda mean: mean
    block: int = 1
    """How many neighbours are alike, 1 where samples have no order."""
    samples: str = ""
    """Stands for what the samples are, to know those of another model again."""

    @property
    def value(self) -> float:
        """The metric."""
        return float(self.metric_of(self.values.mean()))

    def is_alike(self, other: "Scores") -> bool:
        """Whether the ``other`` ones are of the same samples."""
        return len(self.values) == len(other.values) and self.samples == other.samples


def scores(metric: str, task: Mapping[str, Any], predictions: pa.Table, measured: float | None) -> Scores | None:
    """What each sample adds to ``metric``.

    None where the metric is no mean over samples, such as an AUROC, or its mean is not what the test ``measured``.

    Args:
        metric: Such as ``test/accuracy``.
        task: The task's section, as JSON.
        predictions: ``predictions.parquet`` of a test.
        measured: What the test says.
    """
    name, kind = metric.removeprefix("test/"), task["kind"]
    columns = set(predictions.column_names)
    found = None
    if {"label", "predicted", "confidence"} <= columns:
        found = _of_classes(name, predictions)
    elif {"target", "predicted"} <= columns:
        found = _of_errors(name, _array(predictions, "target"), _array(predictions, "predicted"))
    elif {"window", "truth", "forecast"} <= columns:
        found = _of_windows(name, predictions, task["horizon"])
    elif kind == "language_modelling" and {"token", "probability"} <= columns:
        found = _of_tokens(name, predictions)
    if found is None or measured is None or not len(found.values):
        return None
    return found if math.isclose(found.value, measured, rel_tol=CLOSE, abs_tol=1e-9) else None


def _of_classes(name: str, predictions: pa.Table) -> Scores | None:
    label = np.asarray(predictions["label"].cast(pa.string()).to_pylist())
    if name == "accuracy":
        predicted = np.asarray(predictions["predicted"].cast(pa.string()).to_pylist())
        values = label == predicted
    elif name == "loss":
        classes = {column: _array(predictions, column) for column in predictions.column_names if column[:2] == "p_"}
        values = np.zeros(len(label))
        for column, probability in classes.items():
            values = np.where(label == column[2:], -np.log(np.maximum(probability, LEAST_PROBABILITY)), values)
    else:
        return None
    return Scores(values.astype(np.float64), samples=_known_by(label))


def _of_errors(name: str, truth: np.ndarray, said: np.ndarray) -> Scores | None:
    errors = np.abs(said - truth)
    if name == "mae":
        return Scores(errors, samples=_known_by(truth))
    if name in ("mse", "rmse"):
        return Scores(errors**2, np.sqrt if name == "rmse" else lambda mean: mean, samples=_known_by(truth))
    return None


def _of_windows(name: str, predictions: pa.Table, horizon: int) -> Scores | None:
    """Windows of a series share steps with their neighbours."""
    truth = _array(predictions, "truth")
    found = _of_errors(name, truth, _array(predictions, "forecast"))
    if found is None:
        return None
    windows, place, counts = np.unique(_array(predictions, "window"), return_inverse=True, return_counts=True)
    values = np.bincount(place, found.values) / counts
    return Scores(values, found.metric_of, _block(len(windows), at_least=horizon), samples=_known_by(windows, truth))


def _of_tokens(name: str, predictions: pa.Table) -> Scores | None:
    if name not in ("loss", "perplexity"):
        return None
    probability, tokens = _array(predictions, "probability"), _array(predictions, "token")
    losses = -np.log(np.maximum(probability, LEAST_PROBABILITY))
    metric_of = np.exp if name == "perplexity" else lambda mean: mean
    return Scores(losses, metric_of, _block(len(losses)), samples=_known_by(tokens))


def _block(number: int, at_least: int = 1) -> int:
    """Length of a block for so many samples: it grows with the cube root (Künsch, Annals of Statistics 17, 1989)."""
    return max(at_least, math.ceil(number ** (1 / 3)))


def _known_by(*arrays: np.ndarray) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def _array(predictions: pa.Table, name: str) -> np.ndarray:
    return predictions[name].to_numpy().astype(np.float64)
