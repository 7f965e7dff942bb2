"""The weights of the best validation, kept for the end of a training."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint

from snaketorch.provenance import file_sha256
from snaketorch.state.checkpoints import Need
from snaketorch.training.checkpointing.io import save

Weights = Callable[[], dict[str, torch.Tensor]]
"""Gives the network's weights as they would be published."""

BEST = "best-{epoch}.ckpt"


class BestWeights(Checkpoint):
    """Keeps the network's weights of the best validation, in a file named by its epoch.

    The files of earlier bests stay until no checkpoint that is kept speaks of them: a training that goes on from
    before a best epoch finds the weights that its state means.
    """

    def __init__(
        self,
        folder: Path,
        monitor: str,
        mode: str,
        weights: Weights,
        counts: Callable[[], bool] = lambda: True,
        keeps_weights: bool = True,
    ):
        """Without ``keeps_weights`` only the value and the epoch are kept.

        ``counts``: whether a validation is one of weights that may be published.
        """
        self.folder, self.weights, self.counts, self.keeps_weights = folder, weights, counts, keeps_weights
        self.monitor, self.mode = monitor, mode
        self.best: dict[str, Any] | None = None
        self.needs: tuple[Need, ...] = ()
        """What a checkpoint of this moment speaks of."""

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        value = trainer.callback_metrics.get(self.monitor)
        validated = (trainer.current_epoch + 1) % trainer.check_val_every_n_epoch == 0
        if value is None or not validated or not self.counts() or not self._is_better(float(value)):
            return
        self.best = {"value": float(value), "epoch": trainer.current_epoch + 1}
        if self.keeps_weights:
            path = self.folder / BEST.format(epoch=self.best["epoch"])
            save(self.weights(), path)
            self.needs = (Need(path.name, file_sha256(path)),)

    def load(self) -> dict[str, torch.Tensor] | None:
        """The best weights, on the CPU; None before there are any. OSError when they are no longer what was saved."""
        if not self.needs:
            return None
        (need,) = self.needs
        path = self.folder / need.file
        if file_sha256(path) != need.sha256:
            raise OSError(errno.EIO, "The best weights are not the bytes that were written", str(path))
        return torch.load(path, map_location="cpu", weights_only=True)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "needs": [(need.file, need.sha256) for need in self.needs]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best, self.needs = state_dict["best"], tuple(Need(*need) for need in state_dict["needs"])

    def _is_better(self, value: float) -> bool:
        if self.best is None:
            return value == value  # not NaN
        return value > self.best["value"] if self.mode == "max" else value < self.best["value"]
