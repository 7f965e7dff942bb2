"""The values with which a trial of a population goes on from another one's weights."""

import math
import random
from collections.abc import Sequence
from typing import Any, Protocol

from snaketorch.config.space import Space
from snaketorch.config.suggestions import Seeded
from snaketorch.config.tune import Sweep
from snaketorch.tuning.ledger import Known
from snaketorch.tuning.trial import Trial

FACTORS = (0.8, 1.2)
"""A number is multiplied by one of them, as in Ray Tune."""


class Explorer(Protocol):
    """Finds values near those that did well."""

    def explore(self, donor: Trial, epoch: int, name: str, taken: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Values to go on with from the donor's weights after ``epoch``.

        Args:
            donor: A trial that did well; what cannot change in mid-training stays as it has it.
            epoch: The last one.
            name: Of this choice: the same one has the same outcome.
            taken: What other trials go on with after the same epoch.
        """


def build_explorer(sweep: Sweep, space: Space, known: Known) -> Explorer:
    """The way of the sweep's scheduler."""
    if sweep.scheduler.kind == "pbt":
        return Perturbed(space, sweep.mutable, sweep.scheduler.resample_probability)
    from snaketorch.tuning.bandit import Bandit  # brings in scikit-learn and scipy

    return Bandit(space, sweep, known)


class Perturbed:
    """Changes each value a little, or draws it anew."""

    def __init__(self, space: Space, mutable: Sequence[str], resample_probability: float):
        self.space, self.mutable, self.resample_probability = space, mutable, resample_probability

    def explore(self, donor: Trial, epoch: int, name: str, taken: Sequence[dict[str, Any]]) -> dict[str, Any]:
        values = donor.values_in(epoch)
        new = self.space.draw(_Near(values, self.mutable, self.resample_probability, name))
        return {path: new[path] if path in self.mutable else value for path, value in values.items()}


class _Near:
    """Answers what a space asks with something near ``values``; keys that are not ``mutable`` stay."""

    def __init__(self, values: dict[str, Any], mutable: Sequence[str], resample_probability: float, name: str):
        self.values, self.mutable, self.resample_probability = values, mutable, resample_probability
        self.name = name

    def number(self, name: str, low: float, high: float, *, log: bool, step: float | None) -> float:
        if name not in self.mutable:
            return self.values[name]
        chance = self._chance(name)
        if chance.random() < self.resample_probability:
            return self._seeded(name).number(name, low, high, log=log, step=step)
        factor = chance.choice(FACTORS)
        value = self.values[name] * factor
        if step is not None:
            moved = round(value / step) - round(self.values[name] / step)
            # at least one step: a small number times 1.2 is the same multiple
            value = (round(self.values[name] / step) + (moved or int(math.copysign(1, factor - 1)))) * step
        return min(high, max(low, value))

    def integer(self, name: str, low: int, high: int, *, log: bool, step: int) -> int:
        if name not in self.mutable:
            return self.values[name]
        return round(self.number(name, low, high, log=log, step=step))

    def choice(self, name: str, options: Sequence[Any]) -> Any:
        if name not in self.mutable:
            return self.values[name]
        chance = self._chance(name)
        if chance.random() < self.resample_probability:
            return self._seeded(name).choice(name, options)
        place = list(options).index(self.values[name]) + chance.choice((-1, 1))
        return options[min(len(options) - 1, max(0, place))]

    def _chance(self, name: str) -> random.Random:
        return random.Random(f"{self.name} {name}")

    def _seeded(self, name: str) -> Seeded:
        return Seeded(self._chance(f"{name} anew").randrange(2**31), 0)
