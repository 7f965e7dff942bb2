"""The test of a classifier."""

from typing import Any

import numpy as np
import pyarrow as pa
import torch
from matplotlib.figure import Figure
from torchmetrics.functional.classification import multiclass_confusion_matrix

from snaketorch.data.manifest import SPLITS
from snaketorch.evaluation.class_scores import Scores
from snaketorch.evaluation.decisions import decisions
from snaketorch.evaluation.examples import sample_reader
from snaketorch.evaluation.outcome import Case, Outcome
from snaketorch.figures.confusion import confusion_figure
from snaketorch.figures.decisions import decisions_figure
from snaketorch.figures.examples import Example, examples_figure
from snaketorch.figures.reliability import reliability_figure

RUNS_OF_CHARACTERS = 3


def evaluate(case: Case) -> Outcome:
    """Metrics and those of simple models, confusion, a table of the classes, all predictions; pictures."""
    scores = Scores.of(case.predictions["logits"], case.predictions["label"])
    classes = case.manifest.classes
    confusion = multiclass_confusion_matrix(scores.predicted, scores.label, num_classes=len(classes)).numpy()
    baselines = {"majority_class": _shares_of_training(case, len(scores.label))}
    counting, notes = _counting_models(case)
    baselines |= counting
    top_k = case.options.top_k
    return Outcome(
        metrics=scores.measured(case.metrics, top_k),
        baselines={
            name: Scores.of(logits, case.predictions["label"]).measured(case.metrics, top_k)
            for name, logits in baselines.items()
        },
        details={
            "classes": list(classes),
            "confusion": confusion.tolist(),
            "per_class": per_class(confusion, classes),
            **({"notes": notes} if notes else {}),
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


def _shares_of_training(case: Case, samples: int) -> np.ndarray:
    """Logits (N, K) that are the same for every sample: how frequent each class is, with one sample more of each."""
    counts = np.bincount(case.manifest.arrays("train")["label"], minlength=len(case.manifest.classes))
    return np.tile(np.log((counts + 1) / (counts + 1).sum()), (samples, 1))


def _counting_models(case: Case) -> tuple[dict[str, np.ndarray], list[str]]:
    """Log-probabilities (N, K) of models that count the tokens of a text, by their names; none of other samples.

    Also notes on those that are not what they could be.
    """
    if "token" not in case.manifest.fields:
        return {}, []
    # scikit-learn and SciPy, which no other classification needs
    from snaketorch.evaluation.token_counts import ITERATIONS, Texts, scores_of_counts

    arrays = {split: case.manifest.arrays(split) for split in SPLITS}
    size = case.manifest.fields["token"]["vocabulary_size"]
    names = {
        "character": {"bag_of_characters": 1, f"runs_of_{RUNS_OF_CHARACTERS}_characters": RUNS_OF_CHARACTERS},
        "word": {"bag_of_words": 1},
        "bpe": {"bag_of_parts_of_words": 1},
    }[case.task.facts["tokenizer"]["kind"]]
    texts = {split: Texts(np.asarray(part["token"]), np.asarray(part["token_start"])) for split, part in arrays.items()}
    labels = {split: np.asarray(part["label"]) for split, part in arrays.items()}
    found = {
        name: scores_of_counts(texts, labels, len(case.manifest.classes), size, longest)
        for name, longest in names.items()
    }
    notes = [
        f"The baseline {name} stopped after {ITERATIONS} iterations before it had converged; it might do better."
        for name, scored in found.items()
        if not scored.converged
    ]
    return {name: scored.scores for name, scored in found.items()}, notes


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
    bins, classes = scores.reliability(), case.manifest.classes
    figures = {
        "confusion": confusion_figure(confusion, classes),
        "reliability": reliability_figure(bins.counts, bins.accuracy, bins.confidence),
    }
    if len(classes) == 2:
        log_odds = (scores.logits[:, 1] - scores.logits[:, 0]).numpy()
        found = decisions(log_odds, scores.label.numpy().astype(bool))
        if found is not None:
            figures["decisions"] = decisions_figure({classes[1]: found})
    order = np.argsort(scores.losses(), kind="stable")
    for name, chosen in (("worst", order[::-1]), ("best", order)):
        examples = _examples(scores, chosen[: case.examples], case)
        figures[name] = examples_figure(
            examples, f"The {len(examples)} samples with the {'largest' if name == 'worst' else 'smallest'} loss"
        )
    return figures


def _examples(scores: Scores, chosen: np.ndarray, case: Case) -> list[Example]:
    sample_at, classes = sample_reader(case), case.manifest.classes
    confidence: torch.Tensor = scores.probability.max(1).values
    return [
        Example(
            sample=sample_at(index),
            predicted=classes[scores.predicted[index]],
            true=classes[scores.label[index]],
            confidence=float(confidence[index]),
        )
        for index in chosen
    ]
