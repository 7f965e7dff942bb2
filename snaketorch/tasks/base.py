"""What every task has in common."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn

from snaketorch.config.models import Model
from snaketorch.config.tasks import Task
from snaketorch.data.loading.samples import Batch, Samples
from snaketorch.data.manifest import Manifest
from snaketorch.models import build_network
from snaketorch.models.shapes import Shape


class RunningMeans(nn.Module):
    """Means over the samples of an epoch, added up on the device.

    Its sums are part of a checkpoint, so an epoch that is interrupted ends with the same means.
    """

    def __init__(self, names: list[str]):
        super().__init__()
        self.names = names
        self.register_buffer("sums", torch.zeros(len(names), dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def add(self, values: dict[str, Tensor], count: int) -> None:
        """Adds the means ``values`` of a batch of ``count`` samples."""
        self.sums += torch.stack([values[name].detach().double() for name in self.names]) * count
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
        averaged_part: Name of the part of the network whose weights an average is taken of; empty for all of it.
    """

    averaged_part: ClassVar[str] = ""

    def __init__(self, options: Task, model: Model, facts: dict[str, Any]):
        super().__init__()
        self.options = options
        self.facts = facts
        self.network = build_network(model, self.input_shape(), self.num_outputs(), options.each_step)
        self.train_means = RunningMeans(list(options.logged))
        self.val_means = RunningMeans(list(options.logged))
        self.optimization = None
        self.samples_folder: Path | None = None

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

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        return self._step(batch, self.train_means)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._step(batch, self.val_means)

    def on_train_epoch_end(self) -> None:
        self._log_means("train", self.train_means)

    def on_validation_epoch_end(self) -> None:
        self._log_means("val", self.val_means)

    def configure_optimizers(self) -> Any:
        return self.optimization(self.network, self.trainer)

    def mode_of(self, metric: str) -> str:
        """``min`` or ``max``: which way ``split/name`` is better."""
        return self.options.logged[metric.rpartition("/")[2]]

    def _step(self, batch: Batch, means: RunningMeans) -> Tensor:
        values = self.measure(batch)
        means.add(values, len(next(iter(batch.values()))))
        return values["loss"]

    def _log_means(self, split: str, means: RunningMeans) -> None:
        self.log_dict({f"{split}/{name}": value for name, value in means.take().items()})
