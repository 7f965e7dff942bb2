"""What a classifier says of samples of one class each, measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch.nn import functional as F
from torchmetrics.functional.classification import binary_auroc, multiclass_accuracy, multiclass_f1_score

from snaketorch.evaluation.calibration import Reliability, reliability
from snaketorch.evaluation.outcome import Values


@dataclass(frozen=True)
class Scores:
    """What a classifier says of N samples, in double precision so that near certainty keeps its order."""

    logits: torch.Tensor
    """(N, K)"""
    label: torch.Tensor
    """(N,), int64"""

    @classmethod
    def of(cls, logits: np.ndarray, label: np.ndarray) -> "Scores":
        return cls(torch.from_numpy(logits).double(), torch.from_numpy(label))

    @property
    def classes(self) -> int:
        return self.logits.shape[1]

    @property
    def probability(self) -> torch.Tensor:
        return self.logits.softmax(1)

    @property
    def predicted(self) -> torch.Tensor:
        return self.logits.argmax(1)

    def reliability(self) -> Reliability:
        confidence = self.probability.max(1).values
        return reliability(confidence.numpy(), (self.predicted == self.label).numpy())

    def losses(self) -> np.ndarray:
        """Cross-entropy (N,) in nats; finer than the probability of the true class where that is near 1."""
        return F.cross_entropy(self.logits, self.label, reduction="none").numpy()

    def measured(self, names: Sequence[str], top_k: int | None = None) -> Values:
        known = MEASURES | {f"top_{top_k}_accuracy": partial(top_k_accuracy, most=top_k)}
        return {name: known[name](self) for name in names}


def accuracy(scores: Scores) -> float:
    """Share of samples whose most probable class is the true one."""
    return float(multiclass_accuracy(scores.predicted, scores.label, scores.classes, average="micro"))


def top_k_accuracy(scores: Scores, most: int) -> float:
    """Share of samples whose true class is among the ``most`` most probable ones."""
    return float((scores.logits.topk(most).indices == scores.label[:, None]).any(1).double().mean())


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
    return scores.reliability().calibration_error()


def loss(scores: Scores) -> float:
    """Mean cross-entropy in nats, without label smoothing or weights."""
    return float(F.cross_entropy(scores.logits, scores.label))


MEASURES: dict[str, Callable[[Scores], float | None]] = {
    measure.__name__: measure for measure in (accuracy, f1_macro, auroc, calibration_error, loss)
}
