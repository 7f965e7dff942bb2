"""How Ray Tune asks a population for the trial that trains next."""

from collections.abc import Callable
from typing import Any

from snaketorch.tuning.population import Population
from snaketorch.tuning.ray_searcher import LedgerSearcher


class NextSegments(LedgerSearcher):
    """Gives Ray Tune the part of a trial's training up to the next comparison: one of Ray's trials each."""

    def __init__(self, population: Population, is_over: Callable[[], bool]):
        super().__init__(is_over)
        self.population = population

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        if self.is_over() or self.population.is_over:
            return self.FINISHED
        segment = self.population.next()
        if segment is None:
            return None  # until others have come so far
        last = segment.until >= self.population.epochs
        return self.give(trial_id, segment.trial, None if last else segment.until, segment.donor_values)

    def on_trial_complete(self, trial_id: str, result: dict | None = None, error: bool = False) -> None:
        self.population.release(self.of_ray[trial_id].number)
