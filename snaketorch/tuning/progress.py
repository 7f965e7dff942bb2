"""What the log, and a file for `status`, say of a sweep while it runs."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from snaketorch.state.durations import in_words
from snaketorch.state.sweep_progress import SweepProgress, write_sweep_progress
from snaketorch.tuning.ledger import Ledger
from snaketorch.tuning.trial import Trial, winner

log = logging.getLogger(__name__)

LINE_SECONDS = 30.0
"""A sign of life at least this often, and at most one line a second."""


class Progress:
    """Lines of how many trials are done, the best so far, and the time that is left."""

    def __init__(
        self,
        ledger: Ledger,
        metric: str,
        mode: str,
        num_samples: int | None,
        budget_seconds: float | None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.ledger, self.metric, self.mode = ledger, metric, mode
        self.num_samples, self.budget_seconds, self.clock = num_samples, budget_seconds, clock
        self.said_at = clock()
        self.began: float | None = None
        self.done_before = self.said_of = len(ledger.order)
        self._said = ""
        self._failed = False

    def begin(self) -> None:
        """A trial begins; before the first one there is only waiting."""
        if self.began is None:
            self.began = self.clock()
            self._write()

    def say(self, at_once: bool = False) -> None:
        """Adds a line if it is time for one: ``at_once``, or something was done, or nothing was said for long.

        What the last line said is not said again ``at_once``.
        """
        since = self.clock() - self.said_at
        news = len(self.ledger.order) > self.said_of
        is_time = since >= LINE_SECONDS or (news and since >= 1.0)
        if is_time or (at_once and self.line() != self._said):
            self._said = self.line()
            log.info("%s", self._said)
            self.said_at, self.said_of = self.clock(), len(self.ledger.order)
            self._write()

    def line(self) -> str:
        """What the progress is, and about how much time is left."""
        left = self._seconds_left()
        return f"{self._progress()}{'' if left is None else f', about {in_words(left)} left'}"

    def _progress(self) -> SweepProgress:
        best, left = winner(self.ledger.all, self.mode), self._seconds_left()
        return SweepProgress(
            ended=dict(Counter(trial.status for trial in self.ledger.over)),
            asked=self.num_samples,
            metric=self.metric,
            best=best and best.best(self.mode)[1],
            best_trial=best and best.number,
            seconds_left=None if left is None else round(left, 1),
            time=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _write(self) -> None:
        try:
            write_sweep_progress(self.ledger.path.parent, self._progress())
        except OSError as error:  # a sweep does not end because nobody can watch it
            if not self._failed:
                log.warning("The sweep's progress cannot be written: %s", error.strerror)
            self._failed = True

    def _seconds_left(self) -> float | None:
        done = len(self.ledger.order) - self.done_before
        found = []
        if self.began is not None and self.num_samples and done and len(self.ledger.order) < self.num_samples:
            found.append((self.clock() - self.began) / done * (self.num_samples - len(self.ledger.order)))
        if self.budget_seconds is not None:
            found.append(max(0.0, self.budget_seconds - self.ledger.seconds))
        return min(found, default=None)


def values_in_words(trial: Trial) -> str:
    """Such as ``optimizer.lr 0.003, model.hidden 64``."""
    return ", ".join(
        f"{path} {value:.4g}" if isinstance(value, float) else f"{path} {value}" for path, value in trial.values.items()
    )
