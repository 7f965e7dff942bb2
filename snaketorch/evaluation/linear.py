"""A linear forecast from the window that a network sees: the baseline that is often hard to beat.

After "Are Transformers Effective for Time Series Forecasting?" (arXiv 2205.13504): every channel from its own past
alone, as a change from its last value, each step ahead with weights of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from snaketorch.evaluation.ridge import fit_ridge

MOST_STEPS = 512
"""Of a longer window the last ones are looked at."""
MOST_WINDOWS = 20_000
"""Evenly spread windows that are fitted to, and as many to choose the penalty by."""
BLOCK = 4096


def linear(values: np.ndarray, training: int, test: int, first: np.ndarray, window: int, horizon: int) -> np.ndarray:
    """Ridge regressions, fitted to the training split; validation chooses how strongly weights are penalised.

    Args:
        values: The whole series (T, C).
        training: Rows of the training split, at least ``window + horizon``.
        test: First row of the test split; validation lies between.
        first: Rows of the first steps to forecast (N,), none below ``window``.
        window: Steps to forecast from.
        horizon: Steps of each forecast.

    Returns:
        (N, H, C)
    """
    fitted_to = _spread(np.arange(window, training - horizon + 1))
    chosen_by = _spread(np.arange(max(training, window), test - horizon + 1))
    forecast = np.empty((len(first), horizon, values.shape[1]))
    for number in range(values.shape[1]):
        level, scale = values[:training, number].mean(), values[:training, number].std()
        channel = _Channel((values[:, number] - level) / (scale or 1.0), min(window, MOST_STEPS), horizon)
        ridge = fit_ridge(
            lambda channel=channel: channel.pairs(fitted_to), lambda channel=channel: channel.pairs(chosen_by)
        )
        scaled = np.concatenate([channel.last(rows) + ridge(channel.past(rows)) for rows in _blocks(first)])
        forecast[:, :, number] = level + (scale or 1.0) * scaled
    return forecast


@dataclass(frozen=True, eq=False)
class _Channel:
    values: np.ndarray
    """(T,), scaled."""
    steps: int
    """Looked back on."""
    horizon: int

    def pairs(self, first: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Features and targets of the forecasts that begin at the rows ``first``."""
        for rows in _blocks(first):
            yield self.past(rows), self.values[rows[:, None] + np.arange(self.horizon)] - self.last(rows)

    def past(self, rows: np.ndarray) -> np.ndarray:
        """What comes before ``rows`` (n,), as changes from the last value; the last is its level (n, steps)."""
        known = self.values[rows[:, None] + np.arange(-self.steps, 0)]
        known[:, :-1] -= known[:, -1:]
        return known

    def last(self, rows: np.ndarray) -> np.ndarray:
        """The values before ``rows`` (n, 1)."""
        return self.values[rows - 1][:, None]


def _spread(rows: np.ndarray) -> np.ndarray:
    """At most ``MOST_WINDOWS`` of them, evenly spread."""
    return rows[:: -(-len(rows) // MOST_WINDOWS) or 1]


def _blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    return (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))
