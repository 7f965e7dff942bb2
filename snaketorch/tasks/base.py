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
from snaketorch.tasks.parts import Room, cut, in_parts, shares_of, size_of
from snaketorch.tasks.peers import ALONE, Peers

SUMS = "sums_of_processes"
"""In a checkpoint of several processes: the sums and the count of the running epoch (processes, sums + 1)."""


class RunningMeans(nn.Module):
    """Means over the samples of an epoch, added up on the device.

    Its sums are part of a checkpoint, so an epoch that is interrupted ends with the same means. Of several processes
    each adds up its own samples, and the means are those of all.

    Attributes:
        peers: The processes that train together.
        finite_only: Leave out batches of which a value is infinite or not a number, in any of the processes.
    """

    def __init__(self, names: list[str]):
        super().__init__()
        self.names = names
        self.finite_only = False
        self.peers = ALONE
        self.register_buffer("sums", torch.zeros(len(names), dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def add(self, values: dict[str, Tensor], count: int | Tensor) -> None:
        """Adds the means ``values`` of a batch of ``count`` samples."""
        means = torch.stack([values[name].detach().double() for name in self.names])
        if self.finite_only:
            is_finite = self.peers.sum((~means.isfinite()).sum()) == 0
            means, count = means.where(is_finite, 0), count * is_finite
        self.sums += means * count
        self.count += count

    def take(self) -> dict[str, Tensor]:
        """The means, float32; starts over."""
        total = self.peers.sum(torch.cat([self.sums, self.count.double().view(1)]))
        means = (total[:-1] / total[-1]).float()
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
        peers: The processes that train together, each on a part of every batch; see ``train_with``.
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
        self.peers = ALONE
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

    def train_with(self, peers: Peers) -> None:
        """Takes part in a training of several processes."""
        self.peers = self.train_means.peers = self.val_means.peers = peers

    def count(self, batch: Batch) -> int | Tensor:
        """What a batch counts for in the means of an epoch: its samples."""
        return size_of(batch)

    def loss_weight(self, batch: Batch) -> int | Tensor:
        """What the loss of a part of a batch counts for in that of the whole batch."""
        return self.count(batch)

    @property
    def weighs_samples(self) -> bool:
        """Whether ``loss_weight`` says more than how many samples there are."""
        return False

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss; where the batch is computed in parts, the gradients of all but the last are there already."""
        parts = self._parts(batch, self.room.training, self.room.least)
        self._has_gradients = len(parts) > 1
        if self._has_gradients and batch_idx % self.trainer.accumulate_grad_batches == 0:
            self.trainer.optimizers[0].zero_grad()
        return self._step(batch, parts, self.train_means, self.share_of_peers(batch, batch_idx))

    def optimizer_zero_grad(self, epoch: int, batch_idx: int, optimizer: torch.optim.Optimizer) -> None:
        # Lightning asks for it between a training step and its last gradients
        if not self._has_gradients:
            super().optimizer_zero_grad(epoch, batch_idx, optimizer)

    def share_of_peers(self, batch: Batch, batch_idx: int) -> float | Tensor:
        """The factor of this process's loss with which the mean over all processes is that of the whole batch.

        The processes average their gradients, and in the last batch of an epoch one may have a sample more.
        """
        if self.peers.is_alone or not (self.weighs_samples or batch_idx + 1 == self.trainer.num_training_batches):
            return 1.0
        weight = torch.as_tensor(self.loss_weight(batch), dtype=torch.float64, device=self.device)
        return (weight * self.peers.world_size / self.peers.sum(weight.clone())).float()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if not self.peers.is_alone:
            means = self.train_means
            checkpoint[SUMS] = self.peers.rows(torch.cat([means.sums, means.count.double().view(1)])[None].cpu())

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if not self.peers.is_alone:
            own = checkpoint[SUMS][self.peers.rank]
            checkpoint["state_dict"] |= {"train_means.sums": own[:-1], "train_means.count": own[-1].long()}

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._step(batch, self._parts(batch, self.room.validation), self.val_means)

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

    def _parts(self, batch: Batch, most: int | None, least: int = 1) -> list[Batch]:
        """The batch in parts; of processes that call the network together, each has as many."""
        if most is None or not self.peers.in_step:
            return in_parts(batch, most, least)
        largest, fewest = self.peers.most(size_of(batch), -size_of(batch))
        return cut(batch, min(-(-largest // most), -fewest // least))

    def _step(self, batch: Batch, parts: list[Batch], means: RunningMeans, share: float | Tensor = 1.0) -> Tensor:
        values = self.measure(batch) if len(parts) == 1 else self._measure_parts(parts, means.names, share)
        loss = values["loss"] * share if isinstance(share, Tensor) else values["loss"]
        means.add(values | {"loss": loss} if self.weighs_samples else values, self.count(batch))
        return loss

    def _measure_parts(self, parts: list[Batch], names: list[str], own: float | Tensor) -> dict[str, Tensor]:
        """What ``measure`` says of ``names`` for the whole batch; ``loss`` has the gradients of the last part.

        ``own``: what this process's loss counts for.
        """
        shares, loss_shares = shares_of(parts, self.count), shares_of(parts, self.loss_weight)
        values = dict.fromkeys(names, 0.0)
        for part, share, loss_share in zip(parts, shares, loss_shares, strict=True):
            measured = self.measure(part)
            loss = measured["loss"] * loss_share
            for name in names:
                values[name] = values[name] + (loss if name == "loss" else measured[name] * share).detach()
            if torch.is_grad_enabled() and part is not parts[-1]:
                self.trainer.strategy.backward(own * loss / self.trainer.accumulate_grad_batches, None)
        return values | {"loss": loss + (values["loss"] - loss.detach())}

    def _log_means(self, split: str, means: RunningMeans) -> None:
        self.log_dict({f"{split}/{name}": value for name, value in means.take().items()})
