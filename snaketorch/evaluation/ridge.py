"""Linear regression with a penalty on its weights, for baselines: nothing random, and right for any data.

Its penalty is the one of ``PENALTIES`` that does best on validation data, so features that are many or alike do not
spoil it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

PENALTIES = (1e-6, 1e-4, 1e-2, 1.0, 1e2)
"""Tried, in units of the features' mean variance times the number of samples."""

Blocks = Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]]
"""Gives features (n, F) and targets (n, K) of some samples after others, float64."""


@dataclass(frozen=True, eq=False)
class Ridge:
    """Targets as weighted sums of features, plus an offset that no penalty is on."""

    weights: np.ndarray
    """(F, K)"""
    offset: np.ndarray
    """(K,)"""

    def __call__(self, features: np.ndarray) -> np.ndarray:
        return features @ self.weights + self.offset


def fit_ridge(training: Blocks, validation: Blocks) -> Ridge:
    """The regression with the least squared error on ``validation`` of those fitted to ``training``.

    Samples are read in blocks, twice, and only sums are kept: features should be scaled to about one.
    """
    found = _solutions(training)
    errors = np.zeros(len(found))
    for features, targets in validation():
        errors += [np.square(ridge(features) - targets).sum() for ridge in found]
    return found[int(errors.argmin())]


def _solutions(training: Blocks) -> list[Ridge]:
    # a first pass for the means: sums of squares about them lose no digits
    count, sums = 0, (0.0, 0.0)
    for features, targets in training():
        count, sums = count + len(features), (sums[0] + features.sum(0), sums[1] + targets.sum(0))
    mean, target_mean = sums[0] / count, sums[1] / count
    squares, products = 0.0, 0.0
    for features, targets in training():
        centred = features - mean
        squares, products = squares + centred.T @ centred, products + centred.T @ (targets - target_mean)
    eigenvalues, vectors = np.linalg.eigh(squares)
    scale = max(eigenvalues.mean(), np.finfo(np.float64).tiny)  # features that never vary get weights of 0
    rotated = vectors.T @ products
    found = []
    for penalty in PENALTIES:
        weights = vectors @ (rotated / (eigenvalues.clip(min=0) + penalty * scale)[:, None])
        found.append(Ridge(weights, target_mean - mean @ weights))
    return found
