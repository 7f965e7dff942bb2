"""Checkpoints that a kill cannot spoil, and that a training goes on from exactly."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins import TorchCheckpointIO
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint

from snaketorch.publish import whole_file

log = logging.getLogger(__name__)

Weights = Callable[[], dict[str, torch.Tensor]]
"""Gives the network's weights as they would be published."""

LAST = "last.ckpt"
BEST = "best-{epoch}.ckpt"

TIME_SHARE = 0.05  # of the training's time, at most, goes into checkpoints
SECONDS_IN_EPOCH = 60.0  # between two checkpoints inside an epoch, at least


class DurableCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside its place, syncs it, then renames it.

    Lightning's own way goes through ``$TMPDIR``; on another file system the move is a copy, and a kill
    inside it destroys the checkpoint that was there before.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str, storage_options: Any = None) -> None:
        with whole_file(Path(path)) as temporary:
            torch.save(checkpoint, temporary)

    def load_checkpoint(self, path: str, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        return super().load_checkpoint(path, map_location=map_location or "cpu", weights_only=True)


class ResumePoints(Checkpoint):
    """Saves ``last.ckpt`` at the ends of epochs and now and then inside long ones.

    Lightning runs callbacks of this base class last, so all other state is up to date. Never on the
    last batch inside an epoch: Lightning would repeat the epoch after a second resume from there.
    """

    def __init__(self, folder: Path, best: "BestWeights"):
        self.path = folder / LAST
        self.best = best
        self.started = self.saved_at = time.monotonic()
        self.cost = 0.0
        self.seconds_before = 0.0
        self.finished = False

    @property
    def seconds(self) -> float:
        """Time that went into the present state, that of earlier attempts included."""
        return self.seconds_before + time.monotonic() - self.started

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.finished:  # killed before its model was published: a training that stopped early is not to go on
            trainer.should_stop = True

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        due = time.monotonic() - self.saved_at > max(SECONDS_IN_EPOCH, self.cost / TIME_SHARE)
        if due and not trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            self._save(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        is_last = trainer.should_stop or trainer.current_epoch + 1 >= trainer.max_epochs
        self.finished = is_last
        if is_last or time.monotonic() - self.saved_at > self.cost / TIME_SHARE:
            self._save(trainer)

    def _save(self, trainer: Trainer) -> None:
        start = time.monotonic()
        trainer.save_checkpoint(self.path, weights_only=False)  # False: all of the state, not the weights alone
        self.saved_at = time.monotonic()
        self.cost = self.saved_at - start
        self.best.forget_others()

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "finished": self.finished}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.seconds_before, self.finished = state_dict["seconds"], state_dict["finished"]


class BestWeights(Checkpoint):
    """Keeps the network's weights of the best validation, in a file named by its epoch.

    The files of earlier bests stay until a checkpoint knows of the new one: a training that goes on from
    before it finds the weights that its state speaks of.
    """

    def __init__(
        self, folder: Path, monitor: str, mode: str, weights: Weights, counts: Callable[[], bool] = lambda: True
    ):
        """``counts``: whether a validation is one of weights that may be published."""
        self.folder, self.weights, self.counts = folder, weights, counts
        self.monitor, self.mode = monitor, mode
        self.best: dict[str, Any] | None = None

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        value = trainer.callback_metrics.get(self.monitor)
        validated = (trainer.current_epoch + 1) % trainer.check_val_every_n_epoch == 0
        if value is None or not validated or not self.counts() or not self._is_better(float(value)):
            return
        self.best = {"value": float(value), "epoch": trainer.current_epoch + 1}
        with whole_file(self.path) as temporary:
            torch.save(self.weights(), temporary)

    @property
    def path(self) -> Path | None:
        """The file with the weights of the best epoch so far; None before there is one."""
        return self.folder / BEST.format(epoch=self.best["epoch"]) if self.best else None

    def forget_others(self) -> None:
        """Removes the weights of epochs that are no longer the best."""
        for file in self.folder.glob(BEST.format(epoch="*")):
            if file != self.path:
                file.unlink()

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best = state_dict["best"]

    def _is_better(self, value: float) -> bool:
        if self.best is None:
            return value == value  # not NaN
        return value > self.best["value"] if self.mode == "max" else value < self.best["value"]
