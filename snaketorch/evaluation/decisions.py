"""What a yes or no would cost at every threshold of a score."""

from dataclasses import dataclass

import numpy as np

MOST_POINTS = 400
"""Of a curve as it is kept; of more, as many are taken evenly."""


@dataclass(frozen=True)
class Decisions:
    """From the highest threshold to the lowest; (points,) each, beginning where nothing is said to apply."""

    recall: np.ndarray
    """Of those that apply, the share found."""
    false_alarms: np.ndarray
    """Of those that do not, the share said to apply."""
    precision: np.ndarray
    """Of those said to apply, the share that do; at the first point that of the second."""
    share: float
    """Of the samples, those that apply."""
    auroc: float
    average_precision: float


def decisions(score: np.ndarray, applies: np.ndarray) -> Decisions | None:
    """Of scores (N,) of samples to some of which something ``applies`` (N,); None when it is all or none of them.

    Samples of equal scores are said to apply together. Average precision is the mean of the precision at each step
    of recall, as scikit-learn has it.
    """
    if applies.all() or not applies.any():
        return None
    order = np.argsort(-score, kind="stable")
    last_of_equals = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    found = np.append(0, np.cumsum(applies[order])[last_of_equals])
    said = np.append(0, last_of_equals + 1)
    recall, false_alarms = found / applies.sum(), (said - found) / (~applies).sum()
    precision = found[1:] / said[1:]
    precision = np.append(precision[0], precision)
    points = np.unique(np.linspace(0, len(said) - 1, MOST_POINTS).astype(int))
    return Decisions(
        recall=recall[points],
        false_alarms=false_alarms[points],
        precision=precision[points],
        share=float(applies.mean()),
        auroc=float(np.trapezoid(recall, false_alarms)),
        average_precision=float((np.diff(recall) * precision[1:]).sum()),
    )
