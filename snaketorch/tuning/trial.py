"""One configuration that a sweep tries, and what is known of it."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

from snaketorch.provenance import digest

Status = Literal["pending", "running", "finished", "stopped", "failed", "out_of_memory"]
"""``stopped``: by the scheduler, since others did better. ``running``: begun, and to go on in the next attempt."""
OVER: frozenset[Status] = frozenset({"finished", "stopped", "failed", "out_of_memory"})
GOOD: frozenset[Status] = frozenset({"finished", "stopped"})
SEARCHED = "searched"

Point = tuple[int, float | None]
"""Epoch, from 1, and the metric of its validation; None where that is not a finite number."""


@dataclass(frozen=True)
class Change:
    """A trial of a population went on from another one's weights, with other values."""

    epoch: int
    """The last one before."""
    donor: int
    """The number of the other trial."""
    before: dict[str, Any]
    """The trial's own values until then, by path."""
    values: dict[str, Any]
    """Those from then on."""


@dataclass
class Trial:
    """One configuration of a sweep."""

    number: int
    """From 0, in the order in which they were proposed; it lasts."""
    values: dict[str, Any]
    """By dotted path."""
    origin: str = SEARCHED
    status: Status = "pending"
    curve: list[Point] = field(default_factory=list)
    seconds: float = 0.0
    """Of training, all attempts together."""
    attempts: int = 0
    started: str | None = None
    """ISO 8601, of the first attempt."""
    device: str = ""
    node: str = ""
    error: str | None = None
    changes: list[Change] = field(default_factory=list)
    """Of a trial in a population, the first one first; ``values`` are those after the last."""
    exchanged: int = 0
    """The epoch after which its population was last compared."""

    @property
    def key(self) -> str:
        """Stands for the values that it began with: two trials of a sweep with one key are one."""
        return key_of(self.first_values)

    @property
    def first_values(self) -> dict[str, Any]:
        """Those that it began with."""
        return self.changes[0].before if self.changes else self.values

    def values_in(self, epoch: int) -> dict[str, Any]:
        """Those that an epoch of it was trained with."""
        return next((change.values for change in reversed(self.changes) if change.epoch < epoch), self.first_values)

    @property
    def is_over(self) -> bool:
        return self.status in OVER

    @property
    def epochs(self) -> int:
        return max((epoch for epoch, _ in self.curve), default=0)

    @property
    def last(self) -> float | None:
        return self.curve[-1][1] if self.curve else None

    def best(self, mode: str) -> Point | None:
        """The best point of the curve, the first of equals; None before there is any.

        After it took over another trial's weights it is another training: what came before does not count.
        """
        since = self.changes[-1].epoch if self.changes else 0
        points = [point for point in self.curve if point[1] is not None and point[0] > since]
        if not points:
            return None
        return max(points, key=lambda point: point[1]) if mode == "max" else min(points, key=lambda point: point[1])


def key_of(values: dict[str, Any]) -> str:
    """16 hexadecimal digits that stand for the values of a trial."""
    return digest(values)


def finite(value: float) -> float | None:
    """The value as JSON can have it."""
    return value if math.isfinite(value) else None


def winner(trials: list[Trial], mode: str) -> Trial | None:
    """The trial with the best point among those that came to a result, the first of equals; None without any.

    Where none did, because the time was over, those that have begun count.
    """
    sign = 1 if mode == "max" else -1
    measured = [trial for trial in trials if trial.best(mode)]
    there = [trial for trial in measured if trial.status in GOOD]
    there = there or [trial for trial in measured if not trial.is_over]
    return max(there, key=lambda trial: (sign * trial.best(mode)[1], -trial.number), default=None)
