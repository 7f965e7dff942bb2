"""The trials of a sweep, one after the other: what was begun before, then what the search proposes."""

import logging
from collections import Counter, deque

from snaketorch.config.suggestions import MOST_DRAWS
from snaketorch.tuning.ledger import Ledger
from snaketorch.tuning.search import Search
from snaketorch.tuning.trial import SEARCHED, Trial, key_of

log = logging.getLogger(__name__)


class Proposals:
    """Gives each trial that is to be trained once."""

    def __init__(self, ledger: Ledger, search: Search, num_samples: int | None):
        """``num_samples``: trials in all, those of earlier attempts included; None for all that there are."""
        self.ledger, self.search, self.num_samples = ledger, search, num_samples
        for trial in ledger.over:
            search.learn(trial)
        for trial in ledger.unfinished:
            search.expect(trial)
        self._waiting = deque(ledger.unfinished)
        self._keys = {trial.key for trial in ledger.all}
        self.is_exhausted = False
        self._again: Counter[int] = Counter()

    @property
    def has_waiting(self) -> bool:
        """Whether trials that have begun wait for a process."""
        return bool(self._waiting)

    def may_begin_again(self, trial: Trial, most: int) -> bool:
        """Whether a trial that lost its process waits for another now; False after it has so ``most`` times."""
        self._again[trial.number] += 1
        if self._again[trial.number] > most:
            return False
        self._waiting.append(trial)
        return True

    def next(self) -> Trial | None:
        """None when there are as many as asked for, or nothing new to try."""
        if self._waiting:
            return self._waiting.popleft()
        if self.is_exhausted or (self.num_samples is not None and len(self.ledger.trials) >= self.num_samples):
            return None
        number = len(self.ledger.trials)
        for draw in range(MOST_DRAWS):
            values = self.search.propose(number, draw)
            if values is None:
                break
            if key_of(values) not in self._keys:
                self._keys.add(key_of(values))
                return self.ledger.propose(values, SEARCHED)
        self.is_exhausted = True
        if self.num_samples is not None and number < self.num_samples:
            log.info("There is nothing new left to try in the space after %d of %d trials", number, self.num_samples)
        return None
