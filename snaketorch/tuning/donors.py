"""How a trial goes on from the weights of another one: its checkpoint, with other values put into it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint

from snaketorch.config.optimizers import OneCycle
from snaketorch.config.specs import TrainSpec
from snaketorch.errors import CheckpointsLost
from snaketorch.state.checkpoints import Identity, read_manifest
from snaketorch.training.checkpointing.io import save
from snaketorch.training.checkpointing.store import OWN_KEY, CheckpointStore

DONATED = "donated.ckpt"
"""In the folder of a trial: the checkpoint that it is to go on from, as long as it has not begun."""
TAKEN_OVER = "taken_over"
"""In a checkpoint that was another trial's: the learning rate that trial had."""
RATES = ("lr", "initial_lr", "max_lr", "min_lr")
"""What optimizers and schedules keep of a learning rate, in a group of weights."""


def hand_over(donor: Path, taker: Path, epoch: int) -> None:
    """Puts the checkpoint of one trial after ``epoch`` into another one's folder; no byte is copied.

    Raises:
        CheckpointsLost: there is none.
    """
    entries = [entry for entry in read_manifest(donor) or () if entry.epoch == epoch]
    if not entries:
        raise CheckpointsLost(f"{donor} has no checkpoint of epoch {epoch} that another trial could go on from")
    taker.mkdir(parents=True, exist_ok=True)
    (taker / DONATED).unlink(missing_ok=True)
    os.link(donor / entries[-1].file, taker / DONATED)


def take_over(folder: Path, training: Identity, donor_rate: float) -> None:
    """Makes the checkpoint that was handed to a trial its own, the only one.

    Does nothing where it has begun with it. Killed at any moment, it can be done again.

    Args:
        folder: The trial's live state.
        training: What it is with its new values.
        donor_rate: The learning rate that the other trial had.
    """
    donated = folder / DONATED
    if not donated.exists():
        return
    checkpoint = torch.load(donated, map_location="cpu", weights_only=True)
    store = CheckpointStore(folder, training, "")
    facts = store.facts(checkpoint[OWN_KEY]["batches"], checkpoint[OWN_KEY]["epoch"])
    save({**checkpoint, OWN_KEY: facts, TAKEN_OVER: donor_rate}, store.path(facts))
    store.add(facts)
    donated.unlink()


class NewValues(Checkpoint):
    """Puts the options of a spec into an optimizer and a schedule that another trial's checkpoint brought.

    A schedule goes on where it was, at another height.
    """

    def __init__(self, spec: TrainSpec):
        self.spec = spec
        self.donor_rate: float | None = None

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: Mapping[str, Any]) -> None:
        self.donor_rate = checkpoint.get(TAKEN_OVER)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.donor_rate is None:
            return
        factor = self.spec.optimizer.lr / self.donor_rate
        schedules = [config.scheduler for config in trainer.lr_scheduler_configs]
        options = self.spec.optimizer.model_dump(exclude={"kind", "lr", "weight_decay"})
        schedule = self.spec.lr_scheduler
        if isinstance(schedule, OneCycle) and schedule.cycle_momentum:  # they are the schedule's
            options.pop("momentum", None)
            options.pop("betas", None)
        for optimizer in trainer.optimizers:
            for group in optimizer.param_groups:
                group.update({name: group[name] * factor for name in RATES if name in group})
                group.update(options)
                if group["params"][0].ndim > 1:  # see ``training.optimization``: others have none
                    group["weight_decay"] = self.spec.optimizer.weight_decay
        for each in schedules:
            for name in ("base_lrs", "_last_lr"):
                if hasattr(each, name):
                    setattr(each, name, [rate * factor for rate in getattr(each, name)])
        self.donor_rate = None
