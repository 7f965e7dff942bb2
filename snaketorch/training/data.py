"""The batches of a training, for Lightning."""

import pytorch_lightning as lightning
import torch

from snaketorch.config.trainer import DataLoader
from snaketorch.data.batches import EvaluationBatches, TrainingBatches
from snaketorch.data.manifest import Manifest
from snaketorch.tasks import samples_of
from snaketorch.tasks.base import TaskModule

VALIDATION_FACTOR = 2  # without gradients twice as many samples fit
ON_DEVICE_SHARE = 0.25  # of the device's free memory, at most, holds samples


class Data(lightning.LightningDataModule):
    """Training and validation batches; the training starts where Lightning's batch counter stands."""

    def __init__(self, options: DataLoader, seed: int, task: TaskModule, manifest: Manifest, device: torch.device):
        super().__init__()
        self.options, self.seed = options, seed
        self.splits = {split: samples_of(task, manifest, split) for split in ("train", "val")}
        if device.type == "cuda":
            size = sum(array.nbytes for split in self.splits for array in manifest.arrays(split).values())
            if size < ON_DEVICE_SHARE * torch.cuda.mem_get_info(device)[0]:
                self.splits = {split: samples.to(device) for split, samples in self.splits.items()}

    def train_dataloader(self) -> TrainingBatches:
        options = self.options
        return TrainingBatches(self.splits["train"], options.batch_size, self.seed, self._done, options.drop_last)

    def _done(self) -> int:
        # `processed` is right for checkpoints inside and at the end of an epoch alike, and counts one for
        # each batch where several optimizers step
        return self.trainer.fit_loop.epoch_loop.batch_progress.total.processed

    def val_dataloader(self) -> EvaluationBatches:
        return EvaluationBatches(self.splits["val"], VALIDATION_FACTOR * self.options.batch_size)

    def first_batch(self, device: torch.device) -> dict[str, torch.Tensor]:
        """A batch of the size of a training batch, on ``device``."""
        samples = self.splits["train"]
        indices = torch.arange(min(self.options.batch_size, len(samples)))
        return {name: value.to(device) for name, value in samples.batch(indices).items()}
