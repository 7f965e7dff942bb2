"""How Ray Tune asks a sweep for its next trial."""

from collections.abc import Callable
from typing import Any

from snaketorch.tuning.proposals import Proposals
from snaketorch.tuning.ray_searcher import LedgerSearcher


class NextTrials(LedgerSearcher):
    """Gives Ray Tune first the trials that an earlier attempt has begun, then new ones, until there are enough."""

    def __init__(self, proposals: Proposals, is_over: Callable[[], bool]):
        super().__init__(is_over)
        self.proposals = proposals

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        trial = None if self.is_over() else self.proposals.next()
        return self.FINISHED if trial is None else self.give(trial_id, trial)

    def on_pause(self, trial_id: str) -> None:
        """Nothing: the scheduler itself counts the trials that run."""

    def on_unpause(self, trial_id: str) -> None:
        """Nothing, see ``on_pause``."""
