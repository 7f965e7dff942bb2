"""When a sweep is to begin no more trials."""

import logging
from collections.abc import Callable

from snaketorch.errors import Interrupted, OutOfTime, UserError
from snaketorch.signals import Noted
from snaketorch.state.durations import in_words
from snaketorch.training.deadline import Deadline
from snaketorch.tuning.ledger import Ledger

log = logging.getLogger(__name__)


class Ends:
    """Looks at what may end a sweep: a signal, the job's time, its own budget, too many failures."""

    def __init__(
        self,
        ledger: Ledger,
        signals: Noted,
        deadline: Deadline | None,
        budget_seconds: float | None,
        max_failed_trials: float,
        num_samples: int | None,
    ):
        """``max_failed_trials``: how many trials may fail; below 1, the share of them."""
        self.ledger, self.signals, self.deadline = ledger, signals, deadline
        self.budget_seconds, self.max_failed_trials, self.num_samples = budget_seconds, max_failed_trials, num_samples
        self._why: str | None = None

    @property
    def why(self) -> str | None:
        """The reason; None as long as the sweep goes on. Once there is one it stays."""
        if self._why is None:
            self._why = next((reason for reason, look in self._reasons().items() if look()), None)
        return self._why

    def is_over(self) -> bool:
        return self.why is not None

    def check(self) -> None:
        """Ends the job where the sweep is to go on in another one, or not at all.

        Raises:
            Interrupted: it was told to end; what its trials have done is saved.
            OutOfTime: the same, because its time is over.
            UserError: too many trials failed.
        """
        done = f"{len(self.ledger.order)} trials are done, and the next attempt goes on with the others"
        if self.why == "signal":
            raise Interrupted(f"told to end by {self.signals.ended_by}; {done}")
        if self.why == "deadline":
            raise OutOfTime(f"the time of this job is over; {done}")
        if self.why == "failures":
            failed = [trial for trial in self.ledger.over if trial.status in ("failed", "out_of_memory")]
            raise UserError(
                f"{len(failed)} of {len(self.ledger.trials)} trials failed, more than tune.max_failed_trials: "
                f"{self.max_failed_trials:g} allows; the last one, trial {failed[-1].number}: {failed[-1].error}"
            )
        if self.why == "budget":
            log.info("The time of tune.time_budget_s is over: %s", in_words(self.budget_seconds))

    def _reasons(self) -> dict[str, Callable[[], bool]]:
        return {
            "signal": lambda: self.signals.ended_by is not None,
            "deadline": self._is_out_of_time,
            "failures": self._has_too_many_failures,
            "budget": lambda: self.budget_seconds is not None and self.ledger.seconds >= self.budget_seconds,
        }

    def _is_out_of_time(self) -> bool:
        deadline = self.deadline
        return bool(deadline and deadline.enforced and deadline.left < 2 * deadline.margin(0.0))

    def _has_too_many_failures(self) -> bool:
        failed = sum(trial.status in ("failed", "out_of_memory") for trial in self.ledger.trials.values())
        most = self.max_failed_trials
        if most < 1:
            # of all that are to come too, so that the first to fail does not end a sweep
            most *= max(self.num_samples or 0, len(self.ledger.trials))
        return failed > most
