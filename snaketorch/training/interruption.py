"""A training that is told to end, or whose time is over, saves what it has done first."""

import logging
import time
from collections.abc import Callable
from typing import Any

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint

from snaketorch.errors import Interrupted, OutOfTime
from snaketorch.signals import Noted
from snaketorch.state.durations import in_words
from snaketorch.training.checkpointing.resume_points import ResumePoints, batches_done, can_go_on_from_here
from snaketorch.training.deadline import Deadline

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 10.0
"""For the rest of a validation, after which an epoch can be saved, when the training is told to end."""


class Interruption(Checkpoint):
    """Saves and ends a training when a signal or its deadline asks for it; SIGUSR1 saves it without ending it.

    It acts where its state can be saved: after an optimizer step, and at the end of an epoch. A validation between
    the two is waited for only as long as there is time; the last checkpoint counts then. A ``Checkpoint``, and after
    ``ResumePoints`` in the list of callbacks, because that one makes the checkpoints.

    Several processes end at the same step, whichever of them was told to; in a validation the first alone decides, and
    its end is that of all.
    """

    def __init__(
        self,
        points: ResumePoints,
        signals: Noted,
        deadline: Deadline | None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.points, self.signals, self.deadline, self.clock = points, signals, deadline, clock
        self.batch_ended = self.validation_began = clock()
        self.batch_seconds = 0.0
        self.is_warm = False
        self.validation_seconds: float | None = None
        self.has_said_late = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.batch_ended = self.clock()
        self.signals.install()  # again: Lightning has put a handler of its own before ours by now
        if self.deadline and self.deadline.enforced:
            log.info(
                "%s of %s are left; %s before the end the training saves itself, for the next attempt to go on",
                in_words(max(0.0, self.deadline.left)),
                in_words(self.deadline.total),
                in_words(self.deadline.margin(self.points.cost)),
            )

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.batch_ended = self.clock()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        now = self.clock()
        if self.is_warm:  # the first batch compiles, allocates, chooses algorithms
            self.batch_seconds = now - self.batch_ended
        self.batch_ended, self.is_warm = now, True
        next_seconds = self.batch_seconds * trainer.accumulate_grad_batches
        if self._is_last_place_in_epoch(trainer, batch_idx):
            next_seconds += self.batch_seconds + self._validation_to_come(trainer)
        place = f"batch {batch_idx + 1} of {trainer.num_training_batches} in epoch {_epoch(trainer)}"
        self._act(trainer, place, next_seconds)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not self.points.finished:  # else only publishing is left
            self._act(trainer, f"epoch {_epoch(trainer)}", self.batch_seconds * trainer.accumulate_grad_batches)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.validation_began = self.clock()

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if not self.points.meetings.peers.is_first:
            return
        taken = self.clock() - self.validation_began
        expected = self.validation_seconds or taken * sum(trainer.num_val_batches) / (batch_idx + 1)
        left, place = max(0.0, expected - taken), f"the validation of epoch {_epoch(trainer)}"
        if self.signals.ended_by and self.clock() - self.signals.ended_at + left > PATIENCE_SECONDS:
            raise Interrupted(f"told to end by {self.signals.ended_by} in {place}; {self._last_checkpoint()}")
        if self._is_over(left, of_margin=0.5):  # what is left of it then is for the checkpoint
            raise OutOfTime(f"{self._over()} in {place}; {self._last_checkpoint()}")

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.validation_seconds = self.clock() - self.validation_began

    def _act(self, trainer: Trainer, place: str, next_seconds: float) -> None:
        """``next_seconds``: until the next place where the training can be saved."""
        wishes = bool(self.signals.ended_by), self._is_over(next_seconds), self.signals.save_asked
        if not self.points.meetings.peers.is_alone:
            if not can_go_on_from_here(trainer) or not self.points.meetings.is_due(batches_done(trainer)):
                return
            wishes = self.points.meetings.agree(batches_done(trainer), *wishes)
        ends, is_over, saves = wishes
        if ends and self.points.save_now(trainer):
            by = self.signals.ended_by or "a signal to another of its processes"
            raise Interrupted(f"told to end by {by}; {self._saved(place)}")
        if is_over and self.points.save_now(trainer):
            raise OutOfTime(f"{self._over()}; {self._saved(place)}")
        if saves and self.points.save_now(trainer):
            self.signals.save_asked = False
            log.info("Saved after %s, as a signal asked", place)
        if self.deadline and not self.deadline.enforced and self.deadline.left < 0 and not self.has_said_late:
            self.has_said_late = True
            log.warning(
                "The training takes longer than the %s of its `resources`; it goes on, for nobody ends it here",
                in_words(self.deadline.total),
            )

    def _is_over(self, next_seconds: float, of_margin: float = 1.0) -> bool:
        deadline = self.deadline
        enforced = deadline is not None and deadline.enforced
        return enforced and deadline.left < of_margin * deadline.margin(self.points.cost) + next_seconds

    def _over(self) -> str:
        if self.deadline is None:
            return "the time of this job is over, as another of its processes says"
        return f"the time of this job is over ({in_words(self.deadline.total)} by `resources.hours` and the attempt)"

    def _saved(self, place: str) -> str:
        return f"saved after {place}, in {self.points.store.folder}. The next attempt goes on from there"

    def _last_checkpoint(self) -> str:
        return f"the next attempt goes on from the last checkpoint in {self.points.store.folder}"

    def _validation_to_come(self, trainer: Trainer) -> float:
        validates = (trainer.current_epoch + 1) % trainer.check_val_every_n_epoch == 0
        return (self.validation_seconds or 0.0) if validates else 0.0

    @staticmethod
    def _is_last_place_in_epoch(trainer: Trainer, batch_idx: int) -> bool:
        """The end of an epoch's last batch is none, see ``ResumePoints``."""
        return batch_idx + 1 + trainer.accumulate_grad_batches >= trainer.num_training_batches


def _epoch(trainer: Trainer) -> str:
    return f"{trainer.current_epoch + 1} of {trainer.max_epochs}"
