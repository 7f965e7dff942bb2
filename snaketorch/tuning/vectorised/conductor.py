"""Trains the trials of a sweep group by group, and tells the diary of each of them."""

import logging
import socket

import torch

from snaketorch.config.alike import signature, train_spec
from snaketorch.data.manifest import Manifest
from snaketorch.hardware.precision import device_name
from snaketorch.launch.place import Place
from snaketorch.training.subject import device_of
from snaketorch.tuning.context import SweepContext
from snaketorch.tuning.diary import Diary
from snaketorch.tuning.ends import Ends
from snaketorch.tuning.trial import Trial
from snaketorch.tuning.vectorised.rungs import Rungs
from snaketorch.tuning.vectorised.store import Members, begun
from snaketorch.tuning.vectorised.training import GroupTraining
from snaketorch.tuning.vectorised.waves import alike, rows_at_once, waves

log = logging.getLogger(__name__)

GROUPS = "groups"
"""In the state of a sweep: a folder for each group on its way."""


class Conductor:
    """One attempt at a sweep."""

    def __init__(self, context: SweepContext, diary: Diary, ends: Ends):
        self.context, self.diary, self.ends = context, diary, ends
        self.spec = context.spec
        self.dataset = Manifest.load(context.manifest)
        self.device = device_of(self.spec.trainer, Place())
        self.root = context.folder / GROUPS
        self.groups = self.most_rows = 0

    def run(self) -> None:
        """Trains until there are no more trials, or the sweep ends."""
        trials = self.diary.ledger.trials
        self.begun = list(begun(self.root, trials))
        self.rungs = self._rungs({number for members in self.begun for number in members.numbers})
        for wave in waves(self.diary.proposals, rows_at_once(self.spec.tune.search_alg.kind)):
            for members in [*self._begun_before(wave), *self._new(wave)]:
                if self.ends.is_over() or not self._train(members):
                    return
            if self.ends.is_over():
                return

    def _train(self, members: Members) -> bool:
        """Trains a group to its end, in halves where the memory does not hold it; False where the sweep ended."""
        try:
            training = GroupTraining(
                self.context, self.diary, self.ends, self.rungs, self.dataset, self.device, members
            )
            self.most_rows = max(self.most_rows, len(training.alive))
            self.groups += 1
            return training.run()
        except torch.OutOfMemoryError as error:
            said = str(error).partition("\n")[0]
        torch.cuda.empty_cache()  # here: as long as there is the error, there is what it was raised in
        return all(self._train(half) for half in self._halves(members, said))

    def _halves(self, members: Members, error: str) -> list[Members]:
        """The trials of a group that are not done, in two groups that begin anew; one that is alone ends."""
        trials = [self.diary.ledger.trials[number] for number in members.numbers]
        left = [trial for trial in trials if not trial.is_over]
        if self.rungs:
            self.rungs.forget(trial.number for trial in left)
        members.end()
        if len(left) == 1:
            self.diary.end(left[0], "out_of_memory", error)
            return []
        log.warning("%d trials side by side are too many for the memory, half of them are tried", len(left))
        middle = len(left) // 2
        common = members.folder.name.partition("-")[2]
        # both are noted before the first trains, so that no attempt takes up a part of them as something new
        return [
            Members.begin(self.root / f"{half[0].number:06d}-{common}", half)
            for half in (left[:middle], left[middle:])
            if half
        ]

    def _rungs(self, without: set[int]) -> Rungs | None:
        options = self.spec.tune.scheduler
        if options.kind == "fifo":
            return None
        rungs = Rungs(options, self.spec.tune.mode, self.spec.trainer.max_epochs)
        # those of a group that goes on come to their rungs again
        rungs.remember(trial for trial in self.diary.ledger.over if trial.number not in without)
        return rungs

    def _begun_before(self, wave: list[Trial]) -> list[Members]:
        numbers = {trial.number for trial in wave}
        here = [members for members in self.begun if numbers & set(members.numbers)]
        for members in here:
            wave[:] = [trial for trial in wave if trial.number not in members.numbers]
        return here

    def _new(self, wave: list[Trial]) -> list[Members]:
        found = []
        for common, trials in alike(wave, self._signature).items():
            if common:
                folder = self.root / f"{trials[0].number:06d}-{common}"
                found.append((folder, trials))
        return [Members.begin(folder, trials) for folder, trials in found]

    def _signature(self, trial: Trial) -> str:
        """Empty where no training can have the values, which ends the trial."""
        try:
            return signature(train_spec(self.spec, trial.values))
        except ValueError as error:
            self.diary.start(trial, socket.gethostname(), device_name(self.device))
            self.diary.end(trial, "failed", " ".join(str(error).split())[:500])
            return ""
