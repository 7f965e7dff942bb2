"""What those have in common whom Ray Tune asks for the trial that trains next."""

from collections.abc import Callable
from typing import Any

from ray.tune.search import Searcher

from snaketorch.tuning.trial import Trial


class LedgerSearcher(Searcher):
    """Nothing lasts of it: a sweep goes on from its ledger, in a new run of Ray Tune."""

    def __init__(self, is_over: Callable[[], bool]):
        """``is_over``: whether there are to be no more trials."""
        super().__init__()
        self.is_over = is_over
        self.of_ray: dict[str, Trial] = {}
        """By Ray's name for what it was given of each."""

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Ray Tune keeps a copy that nobody reads

    def give(
        self, trial_id: str, trial: Trial, until: int | None = None, donor_values: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """What the process of a trial is told of it.

        Args:
            trial_id: Ray's name for it.
            trial: The trial.
            until: The last epoch of this part of its training; None where there is nothing after it.
            donor_values: Of the trial whose weights it begins with, if it does.
        """
        self.of_ray[trial_id] = trial
        return {
            "number": trial.number,
            "key": trial.key,
            "values": trial.values,
            "curve": trial.curve,
            "until": until,
            "donor_values": donor_values,
        }

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict, **spec: Any) -> bool:
        return True

    def on_trial_complete(self, trial_id: str, result: dict | None = None, error: bool = False) -> None:
        """Nothing: the sweep learns from its own record of the trial."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the ledger of the sweep is what lasts."""

    def restore(self, checkpoint_path: str) -> None:
        raise NotImplementedError("a sweep goes on from its ledger")
