"""The batches of a training, for Lightning."""

import json
from pathlib import Path

import pytorch_lightning as lightning
import torch

from snaketorch.config.augment import Augment
from snaketorch.config.trainer import DataLoader
from snaketorch.data.loading.batches import Augmentation, EvaluationBatches, Shard, TrainingBatches
from snaketorch.data.loading.order import Shuffle
from snaketorch.data.loading.placement import choose_placement
from snaketorch.data.loading.samples import Batch
from snaketorch.data.manifest import Manifest
from snaketorch.errors import DataError
from snaketorch.implementation import resolve
from snaketorch.publish import write_json
from snaketorch.tasks import samples_of
from snaketorch.tasks.base import TaskModule

VALIDATION_FACTOR = 2  # without gradients twice as many samples fit
REMEMBERED = "loading.json"


class Data(lightning.LightningDataModule):
    """Training and validation batches; the training starts where Lightning's batch counter stands."""

    def __init__(
        self,
        options: DataLoader,
        augment: Augment | None,
        seed: int,
        task: TaskModule,
        manifest: Manifest,
        device: torch.device,
        state: Path,
        sharing: int = 1,
    ):
        """``state``: the training's folder, which remembers the kind of order that it began with.

        ``sharing``: processes that share the memory of this machine.
        """
        super().__init__()
        self.peers = task.peers
        self.options, self.seed, self.device = options, seed, device
        self.augmentation = _augmentation(augment, manifest, seed)
        splits = {split: samples_of(task, manifest, split) for split in ("train", "val")}
        for split, samples in splits.items():
            if len(samples) < self.peers.shards:
                raise DataError(
                    f"the {split} split of dataset '{manifest.dataset}' has {len(samples)} samples, too few for "
                    f"{self.peers.shards} processes; allowed: fewer trainer.devices, or a larger split"
                )
        # with it comes the kind of order, in which all of them must draw
        self.placement = self.peers.of_first(
            lambda: choose_placement(options, list(splits.values()), device, _remembered(state), sharing)
        )
        if self.peers.is_first:
            write_json(state / REMEMBERED, {"shuffle": self.placement.shuffle})
        self.splits = {split: self.placement.place(samples, device) for split, samples in splits.items()}

    def train_dataloader(self) -> TrainingBatches:
        return self._training_batches(self._done, self._shard())

    def val_dataloader(self) -> EvaluationBatches:
        return EvaluationBatches(
            self.splits["val"],
            VALIDATION_FACTOR * self.options.batch_size,
            reads_ahead_for=self.placement.reads_ahead_for(self.device),
            shard=self._shard(),
        )

    def first_batch(self) -> Batch:
        """The first batch of the training, on its device."""
        batch = next(iter(self._training_batches(lambda: 0, Shard())))
        return {name: value.to(self.device) for name, value in batch.items()}

    def _training_batches(self, position, shard: Shard) -> TrainingBatches:
        return TrainingBatches(
            self.splits["train"],
            self.options.batch_size,
            self.seed,
            position,
            self.options.drop_last,
            shuffle=self.placement.shuffle,
            augmentation=self.augmentation,
            reads_ahead_for=self.placement.reads_ahead_for(self.device),
            shard=shard,
        )

    def _shard(self) -> Shard:
        return Shard(self.peers.shard, self.peers.shards)

    def _done(self) -> int:
        # `processed` is right for checkpoints inside and at the end of an epoch alike, and counts one for
        # each batch where several optimizers step
        return self.trainer.fit_loop.epoch_loop.batch_progress.total.processed


def _augmentation(options: Augment | None, manifest: Manifest, seed: int) -> Augmentation | None:
    if options is None or not options.active:
        return None
    return resolve(options.implementation)(options, manifest.provides, manifest.fields, seed)


def _remembered(state: Path) -> Shuffle | None:
    path = state / REMEMBERED
    return json.loads(path.read_text("utf-8"))["shuffle"] if path.exists() else None
