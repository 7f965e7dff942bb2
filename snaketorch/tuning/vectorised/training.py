"""A group of trials on its way: epoch after epoch is judged, told and saved."""

import logging
import math
import socket
import time
from collections.abc import Container, Mapping

import torch
from torch import Tensor

from snaketorch.config.alike import train_spec
from snaketorch.data.manifest import Manifest
from snaketorch.hardware.precision import device_name
from snaketorch.training.checkpointing.resume_points import TIME_SHARE
from snaketorch.tuning.context import SweepContext
from snaketorch.tuning.diary import Diary
from snaketorch.tuning.ends import Ends
from snaketorch.tuning.trial import Status, finite
from snaketorch.tuning.vectorised.group import NEVER, Group
from snaketorch.tuning.vectorised.probe import work_of
from snaketorch.tuning.vectorised.rungs import Rungs
from snaketorch.tuning.vectorised.store import GroupStore, Members

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
"""From one look at what may end the sweep to the next."""
TELL_SECONDS = 1.0
"""From one report of all trials to the next, at least."""

WORK_OF_A_THREAD = 5e7
"""Operations of a forward pass of all rows for each CPU thread: with less, threads wait for each other more than they
work, above all where a core is busy with something else."""

Ending = tuple[Status, str | None]


class GroupTraining:
    """A group on its way, and what is known of its trials."""

    def __init__(
        self,
        context: SweepContext,
        diary: Diary,
        ends: Ends,
        rungs: Rungs | None,
        dataset: Manifest,
        device: torch.device,
        members: Members,
    ):
        """Goes on from the state that an earlier attempt has left in the folder of ``members``, if there is one."""
        self.context, self.diary, self.ends, self.rungs = context, diary, ends, rungs
        self.members, self.device, self.options = members, device, context.spec.tune
        self.trials = {number: self.diary.ledger.trials[number] for number in members.numbers}
        self.store = GroupStore(
            members.folder, context.folder.name, context.code, dataset.digest, f"rm -r {members.folder}"
        )
        self.alive = list(members.numbers)
        """The trials of the rows, in their order."""
        self.untold: dict[int, list[list]] = {}
        """Points that nobody was told, by trial."""
        self.looked_at = self.told_at = self.since = time.monotonic()
        self.telling = 0.0
        """Seconds that the last report took."""
        self.seconds = dict.fromkeys(members.numbers, 0.0)
        self.was_over = False
        state = self.store.load()
        if state:
            self.alive, self.untold = state["alive"], state["untold"]
            if rungs and state["rungs"]:
                rungs.restore(state["rungs"])
        specs = [train_spec(context.spec, self.trials[number].values) for number in self.alive]
        self.group = Group(specs, dataset, device, members.folder)
        self.work = work_of(self.group)
        if state:
            self.group.restore(state)

    def run(self) -> bool:
        """Trains to the end; False where the sweep ended before."""
        node, device = socket.gethostname(), device_name(self.device)
        for number in self.alive:
            if not self.trials[number].is_over:
                self.diary.start(self.trials[number], node, device)
        log.info(
            "%d trials side by side, %s parameters each, on %s",
            len(self.alive),
            f"{sum(value[0].numel() for value in self.group.rows.weights.values()):,}",
            device,
        )
        self.since = time.monotonic()
        while self.alive:
            threads = int(self.work * len(self.alive) / WORK_OF_A_THREAD)
            torch.set_num_threads(min(max(1, self.context.room.cpus), max(1, threads)))
            if not self.group.train_epoch(self._look):
                self._tell(self.alive)
                self._save()
                return False
            ended = self._judge(self.group.measured())
            self._share_time()
            self._end(ended)
            if self.alive:
                self._tell_and_save()
            self.diary.progress.say()
        self.members.end()
        return True

    def _look(self) -> bool:
        """Whether the sweep ends here; now and then it saves the state."""
        now = time.monotonic()
        if now - self.looked_at >= LOOK_SECONDS:
            self.looked_at = now
            self.was_over = self.ends.is_over()
            signals = self.ends.signals
            if signals.save_asked or self.store.is_due(self.context.checkpoint_every.seconds):
                signals.save_asked = False
                self._save()
        return self.was_over

    def _judge(self, metrics: Mapping[str, Tensor]) -> dict[int, Ending]:
        """Takes in what an epoch came to; gives the trials that end with it, and how."""
        epoch, group = self.group.epoch, self.group
        ended: dict[int, Ending] = {}
        for number, step in zip(self.alive, group.first_bad.tolist(), strict=True):
            if step != NEVER:
                ended[number] = ("failed", _not_finite(step, group.steps_an_epoch))
        if group.validates:
            is_finite = torch.stack([value.isfinite() for name, value in metrics.items() if _is_val_loss(name)])
            for number, fine in zip(self.alive, is_finite.all(0).tolist(), strict=True):
                if not fine:
                    ended.setdefault(number, ("failed", f"the loss of the validation of epoch {epoch} is not finite"))
            self._judge_values(epoch, metrics, ended)
        if group.is_done:
            for number in self.alive:
                ended.setdefault(number, ("finished", None))
        return ended

    def _judge_values(self, epoch: int, metrics: Mapping[str, Tensor], ended: dict[int, Ending]) -> None:
        known = dict(zip(self.alive, metrics[self.options.metric].tolist(), strict=True))
        values = {number: finite(value) for number, value in known.items() if number not in ended}
        for number, value in values.items():
            self.untold.setdefault(number, []).append([epoch, value])
        if self.rungs and not self.group.is_done:
            for number in self.rungs.losers(epoch, values):
                ended[number] = ("stopped", None)
        if self.group.patience:
            is_over = self.group.patience.is_over(metrics[self.group.first.early_stopping.monitor])
            for row in is_over.nonzero().flatten().tolist():
                ended.setdefault(self.alive[row], ("finished", None))

    def _end(self, ended: Mapping[int, Ending]) -> None:
        self._tell(ended)
        for number in [number for number in self.alive if number in ended]:
            if not self.trials[number].is_over:  # it is, where this part of the training is done again
                self.diary.end(self.trials[number], *ended[number])
        rows = [row for row, number in enumerate(self.alive) if number not in ended]
        if rows and ended:
            self.group.keep(rows)
        self.alive = [self.alive[row] for row in rows]

    def _tell_and_save(self) -> None:
        if time.monotonic() - self.told_at >= max(TELL_SECONDS, self.telling / TIME_SHARE):
            self._tell(self.alive)
        every = self.context.checkpoint_every
        if self.store.is_due(0.0 if self.group.epoch % every.epochs == 0 else math.inf):
            self._save()

    def _tell(self, numbers: Container[int]) -> None:
        start = time.monotonic()
        for number in [number for number in self.alive if number in numbers]:
            points = self.untold.pop(number, [])
            trial = self.trials[number]
            if points and not trial.is_over:
                self.diary.tell(trial, [(epoch, value) for epoch, value in points], self.seconds[number])
                self.seconds[number] = 0.0
        self.told_at = time.monotonic()
        self.telling = self.told_at - start

    def _share_time(self) -> None:
        """A trial's seconds are its share of those that all took together."""
        now = time.monotonic()
        for number in self.alive:
            self.seconds[number] += (now - self.since) / len(self.alive)
        self.since = now

    def _save(self) -> None:
        rungs = self.rungs.of(self.members.numbers) if self.rungs else None
        state = self.group.state() | {"alive": self.alive, "untold": self.untold, "rungs": rungs}
        self.store.save(state, self.group.steps, self.group.epoch)


def _is_val_loss(name: str) -> bool:
    return name.startswith("val/") and name.endswith("loss")


def _not_finite(step: int, steps_an_epoch: int) -> str:
    epoch = (step - 1) // steps_an_epoch + 1
    return f"the loss of the training is not finite in step {step}, epoch {epoch}; try a smaller optimizer.lr"
