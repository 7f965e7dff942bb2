"""Population based training: trials that did badly go on from the weights of good ones, with other values.

Jaderberg et al., arXiv 1711.09846. The population is compared when all of it has come to the same epoch, so that a
sweep that was killed decides as an undisturbed one does. Ray Tune's own scheduler takes no searcher, knows nothing of
trials of an earlier attempt, and pauses trials in their processes; here each trains from one comparison to the next,
and ends.
"""

import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from snaketorch.config.space import Space
from snaketorch.tuning.context import SweepContext
from snaketorch.tuning.diary import Diary
from snaketorch.tuning.donors import hand_over
from snaketorch.tuning.explore import Explorer, build_explorer
from snaketorch.tuning.trial import Trial

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Segment:
    """What a trial is to train next."""

    trial: Trial
    until: int
    """The last epoch of it."""
    donor_values: dict[str, Any] | None
    """Those of the donor, where the trial begins with the weights of one."""


class Population:
    """Says which trial trains next, and compares them."""

    def __init__(self, context: SweepContext, diary: Diary):
        options, spec = context.spec.tune, context.spec
        self.context, self.diary, self.mode = context, diary, options.mode
        self.interval, self.quantile = options.scheduler.perturbation_interval, options.scheduler.quantile_fraction
        self.epochs = spec.trainer.max_epochs
        self.seed = getattr(options.search_alg, "seed", 0)  # a grid has none
        space = Space(options.space, spec.model_dump(mode="json", exclude={"tune"}))
        self.explorer: Explorer = build_explorer(options, space, diary.ledger)
        self.members: list[Trial] = []
        while trial := diary.proposals.next():
            self.members.append(trial)
        self.running: set[int] = set()

    @property
    def live(self) -> list[Trial]:
        return [trial for trial in self.members if not trial.is_over]

    @property
    def is_over(self) -> bool:
        return not self.live

    def next(self) -> Segment | None:
        """None while others must come to an epoch first, and when all is done."""
        if segment := self._ready():
            return segment
        if self.live and not self.running:
            self._compare()
        return self._ready()

    def release(self, number: int) -> None:
        """A trial's segment has ended, in whatever way."""
        self.running.discard(number)

    def _ready(self) -> Segment | None:
        # those that are behind first, so that the others wait less
        for trial in sorted(self.live, key=lambda trial: (trial.epochs, trial.number)):
            if trial.number not in self.running and not self._waits(trial):
                self.running.add(trial.number)
                until = min(self.epochs, (trial.epochs // self.interval + 1) * self.interval)
                return Segment(trial, until, self._donor_values(trial))
        return None

    def _waits(self, trial: Trial) -> bool:
        at_comparison = trial.epochs > 0 and trial.epochs % self.interval == 0 and trial.epochs < self.epochs
        return at_comparison and trial.exchanged < trial.epochs

    def _compare(self) -> None:
        epoch = min(trial.epochs for trial in self.live)
        members = [trial for trial in self.live if trial.epochs == epoch]
        lower, upper = self._quantiles(members)
        changes: dict[int, tuple[int, dict[str, Any]]] = {}
        for trial in lower:
            name = f"{self.seed} exchange {epoch} {trial.number}"
            donor = random.Random(name).choice(upper)
            taken = [values for _, values in changes.values()]
            changes[trial.number] = (donor.number, self.explorer.explore(donor, epoch, name, taken))
            # before it is written down: the donor goes on only then, and its checkpoint is still there
            hand_over(self.context.trial_folder(donor.key), self.context.trial_folder(trial.key), epoch)
        self.diary.exchange(epoch, members, changes)

    def _quantiles(self, members: list[Trial]) -> tuple[list[Trial], list[Trial]]:
        """The worst and the best; a trial without a finite metric is the worst."""
        sign = 1 if self.mode == "max" else -1

        def score(trial: Trial) -> tuple[float, int]:
            return (float("-inf") if trial.last is None else sign * trial.last), -trial.number

        order = sorted(members, key=score)
        count = min(-int(-len(order) * self.quantile // 1), len(order) // 2)
        good = [trial for trial in order[len(order) - count :] if trial.last is not None]
        return (order[:count], good) if good else ([], [])

    def _donor_values(self, trial: Trial) -> dict[str, Any] | None:
        if not trial.changes or trial.epochs > trial.changes[-1].epoch:
            return None
        change = trial.changes[-1]
        return self.diary.ledger.trials[change.donor].values_in(change.epoch)


def schedule_of(trial: Trial, trials: Mapping[int, Trial]) -> list[dict[str, Any]]:
    """The values that led to a trial's weights, through all trials whose weights it goes on from.

    One entry for each time they changed: ``from_epoch``, ``trial`` and ``values``, the earliest first.
    """
    found, until = [], trial.epochs + 1
    while True:
        change = next((change for change in reversed(trial.changes) if change.epoch < until), None)
        values = trial.first_values if change is None else change.values
        found.append({"from_epoch": change.epoch + 1 if change else 1, "trial": trial.number, "values": values})
        if change is None:
            return found[::-1]
        # what the donor was at that epoch: a later change of its own is no matter of this trial
        trial, until = trials[change.donor], change.epoch
