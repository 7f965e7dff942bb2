"""Which rows go on, by the rule of Ray Tune's ASHA."""

import math
from collections.abc import Iterable, Mapping

import numpy as np

from snaketorch.config.tune import Asha
from snaketorch.tuning.trial import Trial


class Rungs:
    """What trials had come to at certain epochs, and who was good enough to go on.

    A trial ends at a rung when its value is below the percentile that leaves one of ``reduction_factor`` above it, of
    the others at that rung. Ray Tune compares a trial with those that came there before it. Trials side by side come
    there together, and each is judged as Ray Tune would judge the last to come: it knows all the others.
    """

    def __init__(self, options: Asha, mode: str, max_epochs: int):
        """``options`` with a grace period."""
        self.factor, self.sign = options.reduction_factor, 1 if mode == "max" else -1
        count = int(math.log(max_epochs / options.grace_period) / math.log(self.factor) + 1)
        self.rungs: dict[int, dict[int, float]] = {
            options.grace_period * self.factor**number: {} for number in reversed(range(count))
        }
        """By epoch, the last first: the values by trial number, the better the higher."""

    def remember(self, trials: Iterable[Trial]) -> None:
        """Takes in trials that were done before."""
        for trial in trials:
            for epoch, value in trial.curve:
                self._record(trial.number, epoch, value)

    def losers(self, epoch: int, values: Mapping[int, float | None]) -> set[int]:
        """The numbers of those that end now, of trials that have come to ``values`` after ``epoch``."""
        reached = {number: self._record(number, epoch, value) for number, value in values.items()}
        found = set()
        for rung in set(reached.values()) - {None}:
            known = self.rungs[rung]
            for number in (number for number, own in reached.items() if own == rung):
                others = [value for other, value in known.items() if other != number and not math.isnan(value)]
                if others and known[number] < np.percentile(others, 100 * (1 - 1 / self.factor)):
                    found.add(number)
        return found

    def of(self, numbers: Iterable[int]) -> dict[int, dict[int, float]]:
        """The part of ``rungs`` that is of these trials."""
        wanted = set(numbers)
        return {
            rung: {number: value for number, value in known.items() if number in wanted}
            for rung, known in self.rungs.items()
        }

    def restore(self, part: Mapping[int, Mapping[int, float]]) -> None:
        """Takes in what ``of`` gave."""
        for rung, known in part.items():
            self.rungs[rung].update(known)

    def forget(self, numbers: Iterable[int]) -> None:
        """Takes trials out, which begin anew."""
        for number in numbers:
            for known in self.rungs.values():
                known.pop(number, None)

    def _record(self, number: int, epoch: int, value: float | None) -> int | None:
        """The rung that the trial has come to with this value; None when it is at none, or was there before."""
        for rung, known in self.rungs.items():
            if epoch >= rung and number not in known:
                known[number] = math.nan if value is None else self.sign * value
                return rung
        return None
