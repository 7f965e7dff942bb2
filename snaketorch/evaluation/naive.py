"""Forecasts that cost nothing, and the scale that they give to an error."""

import numpy as np


def persistence(values: np.ndarray, first: np.ndarray, horizon: int) -> np.ndarray:
    """The last known value, for every step.

    Args:
        values: The whole series (T, C).
        first: Rows of the first steps to forecast (N,); each has a row before it.
        horizon: Steps of each forecast.

    Returns:
        (N, H, C)
    """
    return np.repeat(values[first - 1][:, None], horizon, axis=1)


def seasonal_naive(values: np.ndarray, first: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """The value one season before, and for steps beyond a season the last one that was known then.

    It looks into the series itself, so a season may be longer than the window that a network sees.

    Args:
        values: The whole series (T, C).
        first: Rows of the first steps to forecast (N,), none below ``season``.
        horizon: Steps of each forecast.
        season: Steps in a season.

    Returns:
        (N, H, C)
    """
    return values[first[:, None] - season + np.arange(horizon) % season]


def naive_scale(training: np.ndarray, lag: int) -> np.ndarray:
    """Mean absolute change over ``lag`` steps of each channel of ``training`` (T, C), as (C,).

    It is 0 where it is no more than the rounding of float32, in which a series is stored.
    """
    change = np.abs(training[lag:] - training[:-lag]).mean(0)
    return np.where(change > np.finfo(np.float32).eps * np.abs(training).mean(0), change, 0)
