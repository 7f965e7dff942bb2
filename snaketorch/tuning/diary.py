"""What happens to the trials of a sweep, told to all who want to know: the ledger, the search, the log, MLflow."""

import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from snaketorch.tuning.context import SweepContext
from snaketorch.tuning.ledger import Ledger
from snaketorch.tuning.progress import Progress, values_in_words
from snaketorch.tuning.proposals import Proposals
from snaketorch.tuning.runs import SweepRuns
from snaketorch.tuning.trial import Point, Status, Trial

log = logging.getLogger(__name__)

Values = dict[str, Any]


class Diary:
    """Takes each event of each trial once, in the process that holds the sweep."""

    def __init__(
        self, context: SweepContext, ledger: Ledger, proposals: Proposals, progress: Progress, runs: SweepRuns
    ):
        self.context, self.ledger, self.proposals = context, ledger, proposals
        self.progress, self.runs = progress, runs

    def start(self, trial: Trial, node: str, device: str) -> None:
        """An attempt at a trial begins."""
        self.progress.begin()
        self.ledger.start(trial.number, node, device)
        self.runs.start(trial)

    def tell(self, trial: Trial, points: Iterable[Point], seconds: float) -> None:
        """A trial has come further."""
        self.ledger.tell(trial.number, points, seconds)
        self.runs.tell(trial)

    def exchange(self, epoch: int, members: Sequence[Trial], changes: Mapping[int, tuple[int, Values]]) -> None:
        """A population was compared after ``epoch``; by number, whom some go on from now, and with which values."""
        self.ledger.exchange(epoch, [trial.number for trial in members], changes)
        log.info("%d trials are compared after epoch %d", len(members), epoch)
        for trial in members:
            if trial.number in changes:
                self.runs.change(trial)
                log.info(
                    "Trial %d goes on from the weights of trial %d, with %s",
                    *(trial.number, trial.changes[-1].donor, values_in_words(trial)),
                )

    def end(self, trial: Trial, status: Status, error: str | None = None) -> None:
        """A trial is done; its state is no more needed."""
        self.ledger.end(trial.number, status, error)
        self.proposals.search.learn(trial)
        self.runs.end(trial)
        shutil.rmtree(self.context.trial_folder(trial.key), ignore_errors=True)
        if error:
            log.warning("Trial %d failed: %s", trial.number, error)
        self.progress.say()
