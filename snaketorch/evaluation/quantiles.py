"""How good forecast quantiles are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Quantiles:
    """Quantiles of every step of every window, which never cross."""

    levels: Sequence[float]
    """(Q,), rising, around 0.5."""
    values: np.ndarray
    """(N, H, C, Q)"""

    def part(self, steps: slice, channels: slice) -> "Quantiles":
        return Quantiles(self.levels, self.values[:, steps, channels])

    def coverage(self, truth: np.ndarray) -> float:
        """Share of the values ``truth`` (N, H, C) from the lowest to the highest quantile."""
        return float(((self.values[..., 0] <= truth) & (truth <= self.values[..., -1])).mean())

    def pinball(self, truth: np.ndarray) -> np.ndarray:
        """The mean loss (Q,) of each quantile."""
        error = truth[..., None] - self.values
        level = np.array(self.levels)
        return np.maximum(level * error, (level - 1) * error).mean((0, 1, 2))

    def table(self, truth: np.ndarray) -> list[dict[str, Any]]:
        """A record of each quantile: what share of the values lies below it, which should be its level."""
        below = (truth[..., None] <= self.values).mean((0, 1, 2))
        losses = self.pinball(truth)
        return [
            {"quantile": level, "share_below": float(share), "pinball": float(loss)}
            for level, share, loss in zip(self.levels, below, losses, strict=True)
        ]


def _pinball(quantiles: Quantiles, truth: np.ndarray) -> float:
    return float(quantiles.pinball(truth).mean())


def _coverage_error(quantiles: Quantiles, truth: np.ndarray) -> float:
    return abs(quantiles.coverage(truth) - (quantiles.levels[-1] - quantiles.levels[0]))


def _interval_width(quantiles: Quantiles, truth: np.ndarray) -> float:
    return float((quantiles.values[..., -1] - quantiles.values[..., 0]).mean())


MEASURES: dict[str, Callable[[Quantiles, np.ndarray], float]] = {
    "pinball": _pinball,
    "coverage_error": _coverage_error,
    "interval_width": _interval_width,
}
"""Means over all windows, steps and channels, in the data's units; the coverage's error is a share.

Twice the pinball loss over many evenly spread levels is the continuous ranked probability score.
"""
