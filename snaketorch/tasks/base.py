"""What every task has in common."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from snaketorch.config.models import Model
from snaketorch.config.tasks import Task
from snaketorch.data.loading.samples import Batch, Samples
from snaketorch.data.manifest import Manifest
from snaketorch.models import build_network
from snaketorch.models.shapes import Shape
from snaketorch.tasks.parts import Room, in_parts, shares_of, size_of


class RunningMeans(nn.Module):
    """Means over the samples of an epoch, added up on the device.

    Its sums are part of a checkpoint, so an epoch that is interrupted ends with the same means.

    Attributes:
        finite_only: Leave out batches of which a value is infinite or not a number.
    """

    def __init__(self, names: list[str]):
        super().__init__()
        self.names = names
        self.finite_only = False
        self.register_buffer("sums", torch.zeros(len(names), dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def add(self, values: dict[str, Tensor], count: int | Tensor) -> None:
        """Adds the means ``values`` of a batch of ``count`` samples."""
        means = torch.stack([values[name].detach().double() for name in self.names])
        if self.finite_only:
            is_finite = means.isfinite().all()
            means, count = means.where(is_finite, 0), count * is_finite
        self.sums += means * count
        self.count += count

    def take(self) -> dict[str, Tensor]:
        """The means, float32; starts over."""
        means = (self.sums / self.count).float()
        self.sums.zero_()
        self.count.zero_()
        return dict(zip(self.names, means, strict=True))


class TaskModule(LightningModule):
    """A LightningModule that a task completes with its samples, its loss and its predictions.

    Attributes:
        options: The task's section.
        facts: What it must know of the dataset: fields, statistics, classes.
        network: The network; the only part that has weights.
        optimization: Gives Lightning the optimizer and its schedule; set by the training.
        samples_folder: Where to put what the model makes as it learns, such as `epoch-0001.png` or `.txt`, with
            ``snaketorch.publish``; it becomes `samples/` beside the model. Set by the training, None elsewhere.
        room: How much of a batch is computed at once; set by the training.
        loss_names: Of the losses, one for each optimizer.
        averaged_part: Name of the part of the network whose weights an average is taken of; empty for all of it.
    """

    averaged_part: ClassVar[str] = ""
    loss_names: ClassVar[tuple[str, ...]] = ("loss",)

    def __init__(self, options: Task, model: Model, facts: dict[str, Any]):
        super().__init__()
        self.options = options
        self.facts = facts
        self.network = build_network(model, self.input_shape(), self.num_outputs(), options.each_step)
        self.train_means = RunningMeans(list(options.logged))
        self.val_means = RunningMeans(list(options.logged))
        self.optimization = None
        self.samples_folder: Path | None = None
        self.room = Room()
        self._has_gradients = False

    def __setattr__(self, name: str, value: Any) -> None:
        # Lightning notes the name of each hook, some fifty times a step; `nn.Module` would look at each for weights
        if name == "_current_fx_name":
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    @abstractmethod
    def input_shape(self) -> Shape:
        """Shape of one sample as the network reads it."""

    @abstractmethod
    def num_outputs(self) -> int:
        """Values that the network gives for one sample."""

    @abstractmethod
    def samples(self, manifest: Manifest, split: str) -> Samples:
        """The samples of a split. DataError when there are none."""

    @abstractmethod
    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Every metric of ``options.logged`` as a mean over the batch; ``loss`` is what training minimises."""

    @abstractmethod
    def predict(self, batch: Batch) -> Batch:
        """What the test needs of a batch, in the data's own units."""

    def use(self, models: Mapping[str, "TaskModule"]) -> None:
        """Takes the trained models of other experiments that it needs, by the name of the need.

        Called before it trains or predicts.
        """

    def count(self, batch: Batch) -> int | Tensor:
        """What a batch counts for in the means of an epoch: its samples."""
        return size_of(batch)

    def loss_weight(self, batch: Batch) -> int | Tensor:
        """What the loss of a part of a batch counts for in that of the whole batch."""
        return self.count(batch)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss; where the batch is computed in parts, the gradients of all but the last are there already."""
        parts = in_parts(batch, self.room.training, self.room.least)
        self._has_gradients = len(parts) > 1
        if self._has_gradients and batch_idx % self.trainer.accumulate_grad_batches == 0:
            self.trainer.optimizers[0].zero_grad()
        return self._step(batch, parts, self.train_means)

    def optimizer_zero_grad(self, epoch: int, batch_idx: int, optimizer: torch.optim.Optimizer) -> None:
        # Lightning asks for it between a training step and its last gradients
        if not self._has_gradients:
            super().optimizer_zero_grad(epoch, batch_idx, optimizer)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._step(batch, in_parts(batch, self.room.validation), self.val_means)

    def on_train_epoch_end(self) -> None:
        self._log_means("train", self.train_means)

    def on_validation_epoch_end(self) -> None:
        self._log_means("val", self.val_means)

    def configure_optimizers(self) -> Any:
        return self.optimization(self.network, self.trainer)

    def lr_scheduler_step(self, scheduler: LRScheduler | ReduceLROnPlateau, metric: Any) -> None:
        # a plateau is told before the checkpoint of an epoch, see ``snaketorch.training.plateau``
        if not isinstance(scheduler, ReduceLROnPlateau):
            super().lr_scheduler_step(scheduler, metric)

    def mode_of(self, metric: str) -> str:
        """``min`` or ``max``: which way ``split/name`` is better."""
        return self.options.logged[metric.rpartition("/")[2]]

    def _step(self, batch: Batch, parts: list[Batch], means: RunningMeans) -> Tensor:
        values = self.measure(batch) if len(parts) == 1 else self._measure_parts(parts, means.names)
        means.add(values, self.count(batch))
        return values["loss"]

    def _measure_parts(self, parts: list[Batch], names: list[str]) -> dict[str, Tensor]:
        """What ``measure`` says of ``names`` for the whole batch; ``loss`` has the gradients of the last part."""
        shares, loss_shares = shares_of(parts, self.count), shares_of(parts, self.loss_weight)
        values = dict.fromkeys(names, 0.0)
        for part, share, loss_share in zip(parts, shares, loss_shares, strict=True):
            measured = self.measure(part)
            loss = measured["loss"] * loss_share
            for name in names:
                values[name] = values[name] + (loss if name == "loss" else measured[name] * share).detach()
            if torch.is_grad_enabled() and part is not parts[-1]:
                self.trainer.strategy.backward(loss / self.trainer.accumulate_grad_batches, None)
        return values | {"loss": loss + (values["loss"] - loss.detach())}

    def _log_means(self, split: str, means: RunningMeans) -> None:
        self.log_dict({f"{split}/{name}": value for name, value in means.take().items()})
