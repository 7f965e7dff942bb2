"""The test of a classifier."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from matplotlib.figure import Figure
from torch.nn import functional as F
from torchmetrics.functional.classification import (
    binary_auroc,
    multiclass_accuracy,
    multiclass_confusion_matrix,
    multiclass_f1_score,
)

from snaketorch.evaluation.calibration import reliability
from snaketorch.evaluation.outcome import Case, Outcome
from snaketorch.figures.confusion import confusion_figure
from snaketorch.figures.examples import Example, examples_figure
from snaketorch.figures.reliability import reliability_figure


@dataclass(frozen=True)
class Scores:
    """What a classifier says of N samples, in double precision so that near certainty keeps its order."""

    logits: torch.Tensor
    """(N, K)"""
    label: torch.Tensor
    """(N,), int64"""

    @property
    def classes(self) -> int:
        return self.logits.shape[1]

    @property
    def probability(self) -> torch.Tensor:
        return self.logits.softmax(1)

    @property
    def predicted(self) -> torch.Tensor:
        return self.logits.argmax(1)


def accuracy(scores: Scores) -> float:
    """Share of samples whose most probable class is the true one."""
    return float(multiclass_accuracy(scores.predicted, scores.label, scores.classes, average="micro"))


def f1_macro(scores: Scores) -> float:
    """Mean F1 over the classes; one that neither occurs nor is predicted has none."""
    return float(multiclass_f1_score(scores.predicted, scores.label, scores.classes, average="macro"))


def auroc(scores: Scores) -> float | None:
    """Mean over the classes of how well a class's probability tells it from the rest.

    Classes that the test split lacks have no such number; None when it has a single class.
    """
    present = scores.label.unique()
    if len(present) < 2:
        return None
    probability = scores.probability
    areas = [binary_auroc(probability[:, number], (scores.label == number).int()) for number in present]
    return float(torch.stack(areas).mean())


def calibration_error(scores: Scores) -> float:
    """Expected calibration error over 15 bins of confidence."""
    return _reliability(scores).calibration_error()


def loss(scores: Scores) -> float:
    """Mean cross-entropy in nats, without label smoothing."""
    return float(F.cross_entropy(scores.logits, scores.label))


MEASURES: dict[str, Callable[[Scores], float | None]] = {
    measure.__name__: measure for measure in (accuracy, f1_macro, auroc, calibration_error, loss)
}


def evaluate(case: Case) -> Outcome:
    """Metrics, confusion, a table of the classes, all predictions; pictures of them, and of samples."""
    logits, label = (torch.from_numpy(case.predictions[name]) for name in ("logits", "label"))
    scores = Scores(logits.double(), label)
    classes = case.manifest.classes
    confusion = multiclass_confusion_matrix(scores.predicted, scores.label, num_classes=len(classes)).numpy()
    return Outcome(
        metrics={name: MEASURES[name](scores) for name in case.metrics},
        details={
            "classes": list(classes),
            "confusion": confusion.tolist(),
            "per_class": per_class(confusion, classes),
        },
        predictions=_table(scores, classes),
        figures=_figures(scores, confusion, case),
    )


def per_class(confusion: np.ndarray, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """Precision, recall, F1 and number of samples of each class; None where nothing defines one.

    Args:
        confusion: Counts, true class by predicted class.
        classes: Their names.
    """
    right, occurring, predicted = np.diag(confusion), confusion.sum(1), confusion.sum(0)

    def share(part: int, whole: int) -> float | None:
        return float(part / whole) if whole else None

    return [
        {
            "class": name,
            "precision": share(right[i], predicted[i]),
            "recall": share(right[i], occurring[i]),
            "f1": share(2 * right[i], occurring[i] + predicted[i]),
            "support": int(occurring[i]),
        }
        for i, name in enumerate(classes)
    ]


def _reliability(scores: Scores):
    confidence = scores.probability.max(1).values
    return reliability(confidence.numpy(), (scores.predicted == scores.label).numpy())


def _table(scores: Scores, classes: tuple[str, ...]) -> pa.Table:
    names = pa.array(classes)
    probability = scores.probability.float().numpy()
    return pa.table(
        {
            "index": np.arange(len(scores.label)),
            "label": pa.DictionaryArray.from_arrays(scores.label.int().numpy(), names),
            "predicted": pa.DictionaryArray.from_arrays(scores.predicted.int().numpy(), names),
            "confidence": probability.max(1),
            **{f"p_{name}": probability[:, number] for number, name in enumerate(classes)},
        }
    )


def _figures(scores: Scores, confusion: np.ndarray, case: Case) -> dict[str, Figure]:
    bins = _reliability(scores)
    figures = {
        "confusion": confusion_figure(confusion, case.manifest.classes),
        "reliability": reliability_figure(bins.counts, bins.accuracy, bins.confidence),
    }
    # by the loss: what the true class was given, finer than the probability where that is near 1
    losses = F.cross_entropy(scores.logits, scores.label, reduction="none").numpy()
    order = np.argsort(losses, kind="stable")
    for name, chosen in (("worst", order[::-1]), ("best", order)):
        examples = _examples(scores, chosen[: case.examples], case)
        figures[name] = examples_figure(
            examples, f"The {len(examples)} samples with the {'largest' if name == 'worst' else 'smallest'} loss"
        )
    return figures


def _examples(scores: Scores, chosen: np.ndarray, case: Case) -> list[Example]:
    sample_at, classes = _samples(case.manifest.arrays("test")), case.manifest.classes
    confidence = scores.probability.max(1).values
    return [
        Example(
            sample=np.asarray(sample_at(index)),
            predicted=classes[scores.predicted[index]],
            true=classes[scores.label[index]],
            confidence=float(confidence[index]),
        )
        for index in chosen
    ]


def _samples(arrays: Mapping[str, np.ndarray]) -> Callable[[int], np.ndarray]:
    """Gives an image or a sequence of the test split by its number."""
    if "image" in arrays:
        return lambda index: arrays["image"][index]
    if "value_start" not in arrays:
        return lambda index: arrays["value"][index]
    start = arrays["value_start"]
    return lambda index: arrays["value"][start[index] : start[index + 1]]
