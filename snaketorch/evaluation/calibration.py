"""Whether a classifier's confidence is the share of its answers that are right."""

from dataclasses import dataclass

import numpy as np

BINS = 15


@dataclass(frozen=True)
class Reliability:
    """Predictions by confidence, in equal bins (low, high] from 0 to 1; 0 where a bin is empty. Shape (bins,) each."""

    counts: np.ndarray
    accuracy: np.ndarray
    confidence: np.ndarray

    def calibration_error(self) -> float:
        """Mean gap between confidence and accuracy, weighted by samples.

        The expected calibration error of Guo et al. (2017, arXiv:1706.04599).
        """
        return float((self.counts * np.abs(self.accuracy - self.confidence)).sum() / self.counts.sum())


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> Reliability:
    """Bins predictions (N,) by confidence; ``right`` says which were."""
    edges = np.linspace(0, 1, bins + 1)
    number = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    counts = np.bincount(number, minlength=bins)
    filled = np.maximum(counts, 1)
    return Reliability(
        counts,
        np.bincount(number, weights=right, minlength=bins) / filled,
        np.bincount(number, weights=confidence, minlength=bins) / filled,
    )
