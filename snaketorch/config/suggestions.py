"""Who says which value of a range is taken: chance, a list of all, or values that are there already."""

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

MOST_DRAWS = 20
"""Proposals of values that have been tried already, before a sweep takes its space for exhausted."""
FAR = 1_000_003
"""From the draws of a trial to its next ones: no other trial has these."""


class Suggest(Protocol):
    """Answers what a ``Space`` asks, one key after the other. Bounds belong to what may be answered."""

    def number(self, name: str, low: float, high: float, *, log: bool, step: float | None) -> float:
        """A number, a multiple of ``step`` where there is one; both bounds are multiples then."""

    def integer(self, name: str, low: int, high: int, *, log: bool, step: int) -> int:
        """A whole number, a multiple of ``step``; both bounds are multiples."""

    def choice(self, name: str, options: Sequence[Any]) -> Any:
        """One of ``options``, which may be lists and mappings."""


class OutsideSpaceError(ValueError):
    """A value is none of those that a space has."""


class Seeded:
    """Chance, of which each key of each trial has its own: a further key or trial changes no other value."""

    def __init__(self, seed: int, trial: int, draw: int = 0):
        """``draw``: from 0; another one where the values of the last were tried before."""
        self._seed, self._trial = seed, trial + FAR * draw

    def number(self, name: str, low: float, high: float, *, log: bool, step: float | None) -> float:
        chance = self._chance(name)
        if step is not None:
            return (round(low / step) + chance.randrange(round((high - low) / step) + 1)) * step
        if log:
            return math.exp(chance.uniform(math.log(low), math.log(high)))
        return chance.uniform(low, high)

    def integer(self, name: str, low: int, high: int, *, log: bool, step: int) -> int:
        chance = self._chance(name)
        if log:
            return math.floor(math.exp(chance.uniform(math.log(low), math.log(high + 1))))
        return chance.randrange(low, high + 1, step)

    def choice(self, name: str, options: Sequence[Any]) -> Any:
        return self._chance(name).choice(options)

    def _chance(self, name: str) -> random.Random:
        return random.Random(f"{self._seed} {self._trial} {name}")


class Given:
    """Values that are there already.

    Args:
        values: By path.

    Each answer raises OutsideSpaceError for a key without a value, or with one that the space has not.
    """

    def __init__(self, values: Mapping[str, Any]):
        self._values = values
        self.asked: dict[str, tuple[float, float, bool] | Sequence[Any]] = {}
        """The keys that were asked for: from, to and whether logarithmic, or the options."""

    def number(self, name: str, low: float, high: float, *, log: bool, step: float | None) -> float:
        self.asked[name] = (low, high, log)
        return self._between(name, low, high, step)

    def integer(self, name: str, low: int, high: int, *, log: bool, step: int) -> int:
        self.asked[name] = (low, high, log)
        return self._between(name, low, high, step)

    def choice(self, name: str, options: Sequence[Any]) -> Any:
        self.asked[name] = options
        value = self._value(name)
        if value not in options:
            raise OutsideSpaceError(f"{name}: {value} is none of {options}")
        return value

    def _between(self, name: str, low: float, high: float, step: float | None) -> Any:
        value = self._value(name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        on_step = is_number and (not step or math.isclose(value / step, round(value / step), abs_tol=1e-9))
        if not is_number or not low <= value <= high or not on_step:
            raise OutsideSpaceError(f"{name}: {value} is not between {low:g} and {high:g}")
        return value

    def _value(self, name: str) -> Any:
        if name not in self._values:
            raise OutsideSpaceError(f"{name}: has no value")
        return self._values[name]


class Walk:
    """One way through all answers: the first at each key beyond those that ``steps`` say.

    Args:
        steps: Which of the possible answers to give, key after key.
        corners: Of a range that has no list of values, or a long one, both ends stand for all.
        most: Whole numbers of a range that are still a list.
    """

    def __init__(self, steps: Sequence[int] = (), corners: bool = False, most: int = 10_000):
        self._steps, self._corners, self._most = steps, corners, most
        self._taken: list[tuple[int, int]] = []

    def number(self, name: str, low: float, high: float, *, log: bool, step: float | None) -> float:
        if step is None and not self._corners:
            raise TypeError(f"{name} has no list of values")
        count = 2 if step is None else round((high - low) / step) + 1
        if step is None or (self._corners and count > self._most):
            return self.choice(name, sorted({low, high}))
        return (round(low / step) + self.choice(name, range(count))) * step

    def integer(self, name: str, low: int, high: int, *, log: bool, step: int) -> int:
        values = range(low, high + 1, step)
        return self.choice(name, [low, values[-1]] if self._corners and len(values) > self._most else values)

    def choice(self, name: str, options: Sequence[Any]) -> Any:
        place = len(self._taken)
        index = self._steps[place] if place < len(self._steps) else 0
        self._taken.append((index, len(options)))
        return options[index]

    def next(self) -> list[int] | None:
        """The steps of the walk after this one, in which the last key changes first; None when this was the last."""
        for place in range(len(self._taken) - 1, -1, -1):
            index, count = self._taken[place]
            if index + 1 < count:
                return [*(index for index, _ in self._taken[:place]), index + 1]
        return None


def every(draw: Callable[[Suggest], T], corners: bool = False, most: int = 10_000) -> Iterator[T]:
    """What ``draw`` gives for each combination of answers, in a fixed order."""
    steps: list[int] | None = []
    while steps is not None:
        walk = Walk(steps, corners, most)
        yield draw(walk)
        steps = walk.next()
