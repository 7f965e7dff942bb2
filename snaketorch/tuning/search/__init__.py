"""Where the configurations of a sweep come from."""

from typing import Any, Protocol

from snaketorch.config.space import Space
from snaketorch.config.tune import Sweep
from snaketorch.implementation import resolve
from snaketorch.tuning.trial import Trial

KINDS = {
    "random": "snaketorch.tuning.search.drawn:RandomSearch",
    "grid": "snaketorch.tuning.search.drawn:GridSearch",
    "optuna": "snaketorch.tuning.search.tpe:TpeSearch",
    "hyperopt": "snaketorch.tuning.search.of_ray:HyperOptSearch",
    "bohb": "snaketorch.tuning.search.of_ray:BohbSearch",
}


class Search(Protocol):
    """An algorithm that proposes configurations, and learns from those that are done.

    What it proposes for a trial depends on its seed, the trial's number and what it has learnt, and on nothing that
    only one process knows: another process that is told the same goes on with the same proposals.
    """

    def propose(self, number: int, draw: int) -> dict[str, Any] | None:
        """Values for trial ``number``, by path; another ``draw``, from 0, when those of the last are known already.

        None when there is nothing left to try.
        """

    def expect(self, trial: Trial) -> None:
        """Takes in a trial that another process proposed and that is still to be trained."""

    def learn(self, trial: Trial) -> None:
        """Takes in a trial that is done; called once for each."""


def build_search(sweep: Sweep, space: Space) -> Search:
    """The algorithm that a sweep asks for."""
    return resolve(KINDS[sweep.search_alg.kind])(sweep, space)
