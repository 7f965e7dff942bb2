"""When a training saves all of its state, to go on from there as if nothing had happened."""

import logging
import time
from typing import Any, NamedTuple

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint

from snaketorch.tasks.peers import ALONE
from snaketorch.training.checkpointing.store import OWN_KEY, CheckpointStore
from snaketorch.training.meetings import Meetings

log = logging.getLogger(__name__)

TIME_SHARE = 0.05  # of the training's time, at most, goes into checkpoints


class Every(NamedTuple):
    """How often checkpoints are made; nothing of a result depends on it."""

    epochs: int = 1
    """At the end of each so many."""
    seconds: float = 60.0
    """Also inside an epoch, when this long has passed since the last."""


BY_DEFAULT = Every()


class ResumePoints(Checkpoint):
    """Makes checkpoints at the ends of epochs, and now and then inside long ones, where an optimizer step is done.

    Lightning runs callbacks of this base class last, in their order, so all other state is up to date. Two places are
    none to go on from: between batches whose gradients make one step, which no checkpoint holds; and after the last
    batch of an epoch, before its end, where Lightning would repeat the epoch after a second resume.

    Of several processes each gives its part of the state, at the same place, and the first writes it.
    """

    def __init__(self, store: CheckpointStore, every: Every = BY_DEFAULT, meetings: Meetings | None = None):
        self.store, self.every = store, every
        self.meetings = meetings or Meetings(ALONE)
        self.started = self.saved_at = time.monotonic()
        self.cost = 0.0
        """Seconds that the last checkpoint took."""
        self.seconds_before = 0.0
        self.finished = False
        self.facts: dict[str, Any] = {}
        self.has_said_rarer = False

    @property
    def seconds(self) -> float:
        """Time that went into the present state, that of earlier attempts included."""
        return self.seconds_before + time.monotonic() - self.started

    def save_now(self, trainer: Trainer) -> bool:
        """Makes a checkpoint if this is a place to go on from, and says whether there is one of this place now.

        For the hooks ``on_train_batch_end`` and ``on_train_epoch_end`` of callbacks that are ``Checkpoint`` too and
        come after this one.
        """
        if not can_go_on_from_here(trainer):
            return False
        if self.facts.get("batches") != batches_done(trainer):
            self._save(trainer)
        return True

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.finished:  # killed before its model was published: a training that stopped early is not to go on
            trainer.should_stop = True

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        asked = time.monotonic() - self.saved_at >= self.every.seconds
        if self.meetings.peers.is_alone:
            if asked and can_go_on_from_here(trainer) and self._is_affordable():
                self._save(trainer)
        elif can_go_on_from_here(trainer) and self.meetings.is_due(batches := batches_done(trainer)):
            (is_time,) = self.meetings.agree(batches, asked and self._is_affordable())
            if is_time:
                self._save(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        self.finished = trainer.should_stop or epoch >= trainer.max_epochs
        if self.finished or (epoch % self.every.epochs == 0 and self.meetings.peers.any(self._is_affordable())[0]):
            self._save(trainer)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint[OWN_KEY] = self.facts

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "finished": self.finished}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.seconds_before, self.finished = state_dict["seconds"], state_dict["finished"]

    def _save(self, trainer: Trainer) -> None:
        start = time.monotonic()
        epochs = trainer.fit_loop.epoch_progress.total.processed
        self.facts = self.store.facts(batches_done(trainer), epochs)
        trainer.save_checkpoint(self.store.path(self.facts), weights_only=False)  # False: not the weights alone
        if self.meetings.peers.is_first:
            self.store.add(self.facts)
        self.meetings.peers.wait()  # so that none ends before the checkpoint counts
        self.saved_at = time.monotonic()
        self.cost = self.saved_at - start

    def _is_affordable(self) -> bool:
        pause = self.cost / TIME_SHARE
        if time.monotonic() - self.saved_at >= pause:
            return True
        if not self.has_said_rarer:
            self.has_said_rarer = True
            log.info(
                "Checkpoints are made at most every %.2g s, rarer than `checkpoint` asks for: "
                "one takes %.2g s, and all of them no more than %.0f %% of the time",
                pause,
                self.cost,
                100 * TIME_SHARE,
            )
        return False


def batches_done(trainer: Trainer) -> int:
    """Batches of the whole training that are done."""
    return trainer.fit_loop.epoch_loop.batch_progress.total.processed


def can_go_on_from_here(trainer: Trainer) -> bool:
    """Whether a checkpoint of this moment would be one to go on from."""
    batches, epochs = trainer.fit_loop.epoch_loop.batch_progress, trainer.fit_loop.epoch_progress.current
    if batches.current.processed == batches.current.completed:  # no batch is at its end: an epoch may be
        return epochs.processed > epochs.completed
    return not batches.is_last_batch and batches.current.ready % trainer.accumulate_grad_batches == 0
