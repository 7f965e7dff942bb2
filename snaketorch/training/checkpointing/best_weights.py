"""The weights of the best validation, kept for the end of a training."""

from collections.abc import Callable
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint

Weights = Callable[[], dict[str, torch.Tensor]]
"""Gives the network's weights as they would be published. Where each process has a part of them, all ask for them at
once, and the first gets them."""


class BestWeights(Checkpoint):
    """Keeps the network's weights of the best validation, on the host, and in each checkpoint.

    In each, though it takes room: a file that several checkpoints shared would spoil them all together.
    """

    def __init__(
        self,
        monitor: str,
        mode: str,
        weights: Weights,
        counts: Callable[[], bool] = lambda: True,
        keeps_weights: bool = True,
        writes: bool = True,
    ):
        """Without ``keeps_weights`` only the value and the epoch are kept.

        Of several processes one ``writes``.

        ``counts``: whether a validation is one of weights that may be published.
        """
        self.weights, self.counts, self.keeps_weights, self.writes = weights, counts, keeps_weights, writes
        self.monitor, self.mode = monitor, mode
        self.best: dict[str, Any] | None = None
        self.kept: dict[str, torch.Tensor] | None = None
        """The best weights, on the CPU; None before there are any."""

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        value = trainer.callback_metrics.get(self.monitor)
        validated = (trainer.current_epoch + 1) % trainer.check_val_every_n_epoch == 0
        if value is None or not validated or not self.counts() or not self._is_better(float(value)):
            return
        self.best = {"value": float(value), "epoch": trainer.current_epoch + 1}
        if self.keeps_weights:
            weights = self.weights()
            if self.writes:
                self.kept = {name: tensor.detach().to("cpu", copy=True) for name, tensor in weights.items()}

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "kept": self.kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best, self.kept = state_dict["best"], state_dict["kept"]

    def _is_better(self, value: float) -> bool:
        if self.best is None:
            return value == value  # not NaN
        return value > self.best["value"] if self.mode == "max" else value < self.best["value"]
