"""What the figures of a sweep show: its trials, and the keys that it tunes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snaketorch.figures.style import BLUE, MUTED, VERMILION

FAILED = ("failed", "out_of_memory")
MEASURED = ("finished", "stopped")
LOOKS = {
    "finished": {"color": BLUE, "marker": "o", "markersize": 5, "markeredgewidth": 0},
    "stopped": {"color": MUTED, "marker": "o", "markersize": 4.5, "markerfacecolor": "none", "markeredgewidth": 1},
    "failed": {"color": VERMILION, "marker": "x", "markersize": 5.5, "markeredgewidth": 1.4},
    "out_of_memory": {"color": VERMILION, "marker": "+", "markersize": 7, "markeredgewidth": 1.4},
}
"""The mark of a trial by its status; the shape tells it without the colour too."""
IN_WORDS = {"finished": "finished", "stopped": "stopped early", "failed": "failed", "out_of_memory": "out of memory"}
MANY = 100
"""Trials from which marks and lines are drawn fainter."""


@dataclass(frozen=True)
class SweepTrial:
    """One configuration that was tried."""

    number: int
    values: Mapping[str, Any]
    """By dotted path; a key whose condition did not hold is absent."""
    status: str
    """A key of ``LOOKS``, or something else for one that is not over."""
    curve: Sequence[tuple[int, float | None]]
    """Epoch, and the metric where it was a number."""
    best: float | None
    """Of the curve."""

    @property
    def is_measured(self) -> bool:
        """Whether it came to a result that counts."""
        return self.status in MEASURED and self.best is not None


@dataclass(frozen=True)
class TunedKey:
    """One key of the space."""

    path: str
    options: Sequence[Any] | None = None
    """All that it may be, where that is a list."""
    log: bool = False
    """Whether the logarithm is what counts."""
    low: float | None = None
    """The ends of its range; None where they depend on other keys."""
    high: float | None = None


def the_best(trials: Sequence[SweepTrial], mode: str) -> SweepTrial | None:
    """The trial with the best metric, the first of equals; None when none was measured."""
    measured = [trial for trial in trials if trial.is_measured]
    sign = -1 if mode == "max" else 1
    return min(measured, key=lambda trial: (sign * trial.best, trial.number), default=None)


def of_status(trials: Sequence[SweepTrial], status: str) -> list[SweepTrial]:
    """Those that ended so; of finished and stopped ones those with a result."""
    return [trial for trial in trials if trial.status == status and (status in FAILED or trial.best is not None)]


def short_path(path: str, length: int) -> str:
    """The end of a path, which tells the most; an ellipsis for what is before."""
    if len(path) <= length:
        return path
    parts = path.split(".")
    kept = parts[-1]
    for part in reversed(parts[:-1]):
        if len(part) + len(kept) + 2 > length:
            break
        kept = f"{part}.{kept}"
    return f"…{kept[-(length - 1) :]}"
