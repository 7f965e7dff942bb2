"""Random and grid search: what they propose was clear before the first trial."""

from typing import Any

from snaketorch.config.space import Space
from snaketorch.config.suggestions import Seeded
from snaketorch.config.tune import Sweep
from snaketorch.tuning.trial import Trial, key_of


class RandomSearch:
    """Each trial's values are drawn from the space by the seed and its number alone."""

    def __init__(self, sweep: Sweep, space: Space):
        self.space, self.seed = space, sweep.search_alg.seed

    def propose(self, number: int, draw: int) -> dict[str, Any]:
        return self.space.draw(Seeded(self.seed, number, draw))

    def expect(self, trial: Trial) -> None:
        """Nothing: what others try changes no draw."""

    def learn(self, trial: Trial) -> None:
        """Nothing: that is its virtue."""


class GridSearch:
    """Every combination of the values, in the order of the space, but for those that earlier processes tried."""

    def __init__(self, sweep: Sweep, space: Space):
        self.points = space.every()
        self._tried: set[str] = set()

    def propose(self, number: int, draw: int) -> dict[str, Any] | None:
        return next((values for values in self.points if key_of(values) not in self._tried), None)

    def expect(self, trial: Trial) -> None:
        self._tried.add(trial.key)

    def learn(self, trial: Trial) -> None:
        self._tried.add(trial.key)
