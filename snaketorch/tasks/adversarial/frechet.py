"""The Fréchet distance between two sets of features, each taken for a Gaussian (Heusel et al., arXiv 1706.08500)."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Gaussian:
    """Mean (D,) and covariance (D, D), float64."""

    mean: np.ndarray
    covariance: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> "Gaussian":
        """That of ``features`` (N, D); a single one has no covariance, and 0 stands for it."""
        features = np.asarray(features, np.float64)
        mean = features.mean(0)
        centred = features - mean
        return cls(mean, centred.T @ centred / max(len(features) - 1, 1))


def frechet_distance(one: Gaussian, other: Gaussian) -> float:
    """The squared 2-Wasserstein distance, as the literature reports it: 0 for equal Gaussians.

    The trace of the square root of a product of covariances is the sum of the roots of its eigenvalues, and
    those are the eigenvalues of a symmetric matrix, A B A with A the root of one covariance: real, not negative,
    and well defined where covariances are singular, as they are with fewer samples than features.
    """
    root = _root(one.covariance)
    product = root @ other.covariance @ root
    eigenvalues = np.linalg.eigvalsh((product + product.T) / 2)
    shared = np.sqrt(np.clip(eigenvalues, 0, None)).sum()
    apart = np.square(one.mean - other.mean).sum()
    # rounding can leave a little less than nothing
    return max(0.0, float(apart + np.trace(one.covariance) + np.trace(other.covariance) - 2 * shared))


def _root(covariance: np.ndarray) -> np.ndarray:
    eigenvalues, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.clip(eigenvalues, 0, None))) @ vectors.T
