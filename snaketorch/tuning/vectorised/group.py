"""The training of one group of rows, epoch after epoch."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
import torch
from torch import Tensor

from snaketorch.config.alike import DROPOUT
from snaketorch.config.specs import TrainSpec
from snaketorch.data.loading.batches import EvaluationBatches, TrainingBatches
from snaketorch.data.loading.samples import Batch
from snaketorch.data.loading.seeds import stable_seed
from snaketorch.data.manifest import Manifest
from snaketorch.tasks import build_task
from snaketorch.training.batch_normalization import check_batches
from snaketorch.training.data import Data
from snaketorch.tuning.vectorised.means import RowMeans, read
from snaketorch.tuning.vectorised.optimizers import RowOptimizer, clip
from snaketorch.tuning.vectorised.patience import Patience
from snaketorch.tuning.vectorised.rows import Rows
from snaketorch.tuning.vectorised.settings import RowSettings

NEVER = -1


class Group:
    """Trainings that are alike but for their own numbers, from their common beginning.

    Each does what it would do by itself: the same weights at first, the same batches in the same order, the same
    schedule of its learning rate.

    Attributes:
        specs: Of the rows.
        epoch, batch: Epochs that are done, and batches of the running one.
        first_bad: (K,) the first step whose loss was not finite, from 1; ``NEVER`` where there was none.
    """

    def __init__(self, specs: Sequence[TrainSpec], dataset: Manifest, device: torch.device, folder: Path):
        """``folder``: of the group's live state."""
        self.specs, self.device = list(specs), device
        first = self.first = specs[0]
        lightning.seed_everything(first.seed, verbose=False)
        task = self.task = build_task(first.task, first.model, dataset.facts())
        folder.mkdir(parents=True, exist_ok=True)
        data = self.data = Data(first.data_loader, first.augment, first.seed, task, dataset, device, folder)
        check_batches(task.network, task.network.parameters(), first.data_loader.batch_size, len(data.splits["train"]))
        task.to(device)
        self.rows = Rows(task, [getattr(spec.model, DROPOUT, None) for spec in specs])
        self.optimizer = RowOptimizer(
            first.optimizer.kind, self.rows.weights, getattr(first.optimizer, "nesterov", False)
        )
        self.steps_an_epoch = len(self._training_batches(0))
        self.settings = RowSettings(specs, self.steps_an_epoch)
        self.means = RowMeans(task.train_means.names, len(specs), device)
        stopping = first.early_stopping
        self.patience = Patience(stopping, task.mode_of(stopping.monitor), len(specs)) if stopping else None
        self.epoch = self.batch = 0
        self.first_bad = torch.full((len(specs),), NEVER, device=device)

    @property
    def steps(self) -> int:
        """That are done."""
        return self.epoch * self.steps_an_epoch + self.batch

    @property
    def is_done(self) -> bool:
        return self.epoch >= self.first.trainer.max_epochs

    @property
    def validates(self) -> bool:
        """Whether the epoch that was trained last is one to validate after."""
        return self.epoch % self.first.trainer.check_val_every_n_epoch == 0

    def train_epoch(self, is_over: Callable[[], bool]) -> bool:
        """Trains to the end of the running epoch; False where it broke off, since ``is_over``."""
        for batch in self._training_batches(self.steps):
            if is_over():
                return False
            self._step({name: value.to(self.device) for name, value in batch.items()})
        self.epoch, self.batch = self.epoch + 1, 0
        return True

    def measured(self) -> dict[str, Tensor]:
        """What the task logs after an epoch, (K,) each, on the CPU; of the validation too when it is time for one."""
        found = read(self.task, "train", self.means)
        if self.validates:
            means = RowMeans(self.task.val_means.names, len(self.rows), self.device)
            for batch in self._validation_batches():
                batch = {name: value.to(self.device) for name, value in batch.items()}
                means.add(self.rows.validate(batch), self.task.count(batch))
            found |= read(self.task, "val", means)
        return {name: value.cpu() for name, value in found.items()}

    def keep(self, rows: Sequence[int]) -> None:
        """Goes on with the rows at ``rows`` alone."""
        index = torch.tensor(rows)
        on_device = index.to(self.device)
        self.specs = [self.specs[row] for row in rows]
        self.rows.keep(on_device)
        self.optimizer.keep(on_device)
        self.settings.keep(rows)
        self.means.keep(on_device)
        self.first_bad = self.first_bad[on_device]
        if self.patience:
            self.patience.keep(index)

    def state(self) -> dict[str, Any]:
        """All that it takes to go on from here."""
        return {
            "epoch": self.epoch,
            "batch": self.batch,
            "weights": {name: value.detach() for name, value in self.rows.weights.items()},
            "buffers": self.rows.buffers,
            "optimizer": self.optimizer.state,
            "sums": (self.means.sums, self.means.count),
            "first_bad": self.first_bad,
            "patience": (self.patience.best, self.patience.waited) if self.patience else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes to where ``state`` was, of the same rows."""
        self.epoch, self.batch = state["epoch"], state["batch"]
        on = self.device
        self.rows.weights = {name: value.to(on).requires_grad_() for name, value in state["weights"].items()}
        self.rows.buffers = {name: value.to(on) for name, value in state["buffers"].items()}
        self.optimizer.state = {
            name: {key: value.to(on) for key, value in values.items()} for name, values in state["optimizer"].items()
        }
        self.optimizer.steps = self.steps
        self.means.sums, self.means.count = (value.to(on) for value in state["sums"])
        self.first_bad = state["first_bad"].to(on)
        if self.patience:
            self.patience.best, self.patience.waited = state["patience"]
        self.settings.forward(self.steps)

    def _step(self, batch: Batch) -> None:
        torch.manual_seed(stable_seed(self.first.seed, "step", self.steps))
        values, gradients = self.rows.train(batch)
        self.means.add(values, self.task.count(batch))
        clipping = self.first.trainer
        if clipping.gradient_clip_val is not None:
            most = torch.tensor([spec.trainer.gradient_clip_val for spec in self.specs], dtype=torch.float64)
            clip(gradients, most, clipping.gradient_clip_algorithm)
        self.optimizer.step(self.rows.weights, gradients, self.settings.now)
        self.batch += 1
        is_bad = ~values["loss"].isfinite() & (self.first_bad == NEVER)
        self.first_bad = torch.where(is_bad, self.steps, self.first_bad)
        self.settings.step(self.steps)

    def _training_batches(self, done: int) -> TrainingBatches:
        data, options = self.data, self.first.data_loader
        return TrainingBatches(
            data.splits["train"],
            options.batch_size,
            self.first.seed,
            lambda: done,
            options.drop_last,
            shuffle=data.placement.shuffle,
            augmentation=data.augmentation,
            reads_ahead_for=data.placement.reads_ahead_for(self.device),
        )

    def _validation_batches(self) -> EvaluationBatches:
        return self.data.val_dataloader()
