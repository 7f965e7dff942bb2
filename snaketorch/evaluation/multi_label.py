"""The test of a classifier that says for each of several labels whether it applies."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from matplotlib.figure import Figure
from torch.nn import functional as F

from snaketorch.evaluation.decisions import Decisions, decisions
from snaketorch.evaluation.examples import sample_reader
from snaketorch.evaluation.outcome import Case, Outcome
from snaketorch.figures.decisions import MOST_CURVES, decisions_figure
from snaketorch.figures.examples import Example, examples_figure

NONE = "none"
"""Shown for no label."""


@dataclass(frozen=True)
class LabelScores:
    """What is said of N samples; a label is said to apply where its logit is above 0."""

    logits: np.ndarray
    """(N, K), float64"""
    label: np.ndarray
    """(N, K), bool"""

    @property
    def said(self) -> np.ndarray:
        return self.logits > 0

    @property
    def hits(self) -> np.ndarray:
        """Labels (K,) that are rightly said, by how many samples."""
        return (self.said & self.label).sum(0)

    @cached_property
    def decisions(self) -> list[Decisions | None]:
        return [decisions(*columns) for columns in zip(self.logits.T, self.label.T, strict=True)]

    @property
    def losses(self) -> np.ndarray:
        """Mean binary cross-entropy of a sample's labels (N,), in nats."""
        logits, label = torch.from_numpy(self.logits), torch.from_numpy(self.label).double()
        return F.binary_cross_entropy_with_logits(logits, label, reduction="none").mean(1).numpy()


def f1_micro(scores: LabelScores) -> float | None:
    """F1 of all labels of all samples together; None when none applies and none is said to."""
    return _share(2 * scores.hits.sum(), scores.said.sum() + scores.label.sum())


def f1_macro(scores: LabelScores) -> float | None:
    """Mean F1 over the labels; one that neither applies nor is said to has none."""
    return _mean([_share(*parts) for parts in zip(2 * scores.hits, _together(scores), strict=True)])


def average_precision(scores: LabelScores) -> float | None:
    """Mean over the labels of the area under precision against recall; labels that apply to all or none have none."""
    return _mean([None if found is None else found.average_precision for found in scores.decisions])


def auroc(scores: LabelScores) -> float | None:
    """Mean over the labels of the area under the ROC curve; likewise."""
    return _mean([None if found is None else found.auroc for found in scores.decisions])


def exact_match(scores: LabelScores) -> float:
    """Share of samples with every label right."""
    return float((scores.said == scores.label).all(1).mean())


def loss(scores: LabelScores) -> float:
    """Mean binary cross-entropy in nats, without label smoothing or weights."""
    return float(scores.losses.mean())


MEASURES: dict[str, Callable[[LabelScores], float | None]] = {
    measure.__name__: measure for measure in (f1_micro, f1_macro, average_precision, auroc, exact_match, loss)
}


def evaluate(case: Case) -> Outcome:
    """Metrics, those of saying the same of every sample, a table of the labels, all predictions; pictures."""
    label = case.predictions["label"].astype(bool)
    scores = LabelScores(case.predictions["logits"].astype(np.float64), label)
    shares = _shares_of_training(case)
    same = LabelScores(np.tile(np.log(shares / (1 - shares)), (len(label), 1)), label)
    return Outcome(
        metrics={name: MEASURES[name](scores) for name in case.metrics},
        baselines={"label_shares": {name: MEASURES[name](same) for name in case.metrics}},
        details={"classes": list(case.manifest.classes), "per_class": _per_class(scores, case.manifest.classes)},
        predictions=_table(scores, case.manifest.classes),
        figures=_figures(scores, case),
    )


def _shares_of_training(case: Case) -> np.ndarray:
    """How often each label applies (K,), with one sample more of either kind."""
    label = case.manifest.arrays("train")["label"]
    return (label.sum(0) + 1) / (len(label) + 2)


def _per_class(scores: LabelScores, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = zip(classes, scores.hits, scores.said.sum(0), scores.label.sum(0), scores.decisions, strict=True)
    return [
        {
            "class": name,
            "precision": _share(hits, said),
            "recall": _share(hits, applies),
            "f1": _share(2 * hits, said + applies),
            "average_precision": None if found is None else found.average_precision,
            "support": int(applies),
        }
        for name, hits, said, applies, found in rows
    ]


def _table(scores: LabelScores, classes: tuple[str, ...]) -> pa.Table:
    probability = torch.from_numpy(scores.logits).sigmoid().float().numpy()
    return pa.table(
        {
            "index": np.arange(len(scores.label)),
            **{f"label_{name}": scores.label[:, number] for number, name in enumerate(classes)},
            **{f"p_{name}": probability[:, number] for number, name in enumerate(classes)},
        }
    )


def _figures(scores: LabelScores, case: Case) -> dict[str, Figure]:
    frequent = np.argsort(-scores.label.sum(0), kind="stable")
    curves = {case.manifest.classes[k]: scores.decisions[k] for k in frequent if scores.decisions[k] is not None}
    figures = {"decisions": decisions_figure(dict(list(curves.items())[:MOST_CURVES]))} if curves else {}
    losses = scores.losses
    order, sample_at = np.argsort(losses, kind="stable"), sample_reader(case)
    for name, chosen in (("worst", order[::-1]), ("best", order)):
        examples = [
            Example(
                sample=sample_at(index),
                predicted=_named(scores.said[index], case.manifest.classes),
                true=_named(scores.label[index], case.manifest.classes),
                confidence=_probability(scores.logits[index]),
            )
            for index in chosen[: case.examples]
        ]
        described = f"The {len(examples)} samples with the {'largest' if name == 'worst' else 'smallest'} loss"
        figures[name] = examples_figure(examples, described)
    return figures


def _named(applies: np.ndarray, classes: tuple[str, ...]) -> str:
    return ", ".join(name for name, does in zip(classes, applies, strict=True) if does) or NONE


def _probability(logits: np.ndarray) -> float:
    """Probability of the whole answer, were labels independent."""
    return float(np.exp(-np.logaddexp(0, -np.abs(logits)).sum()))


def _together(scores: LabelScores) -> np.ndarray:
    return scores.said.sum(0) + scores.label.sum(0)


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
