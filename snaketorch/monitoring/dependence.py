"""How many independent samples a series is worth: values that follow each other tell less than others."""

import numpy as np

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Shares of the values below which a series is looked at."""


def effective_size(values: np.ndarray) -> float:
    """Independent values that would tell the distribution of ``values`` (steps,) as well.

    The share of values below a level has the variance of n / (1 + 2 sum of autocorrelations) independent ones
    (Bayley and Hammersley, The effective number of independent observations, 1946). The sum ends where pairs of
    autocorrelations are no longer positive (Geyer, Practical Markov chain Monte Carlo, Statistical Science 7, 1992);
    the level with the least counts.
    """
    below = [values <= np.quantile(values, level) for level in LEVELS]
    return min((len(values) / _correlation_time(part.astype(float)) for part in below), default=float(len(values)))


def _correlation_time(values: np.ndarray) -> float:
    """1 + 2 sum of autocorrelations, at least 1."""
    steps = len(values)
    centred = values - values.mean()
    power = np.abs(np.fft.rfft(centred, 2 * steps)) ** 2
    covariance = np.fft.irfft(power)[:steps]
    if covariance[0] <= 0:
        return 1.0
    rho = covariance / covariance[0]
    pairs = rho[: steps // 2 * 2].reshape(-1, 2).sum(1)
    positive = np.cumprod(pairs > 0).astype(bool)
    return max(1.0, float(2 * pairs[positive].sum() - 1))
