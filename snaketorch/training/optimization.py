"""Optimizers and learning-rate schedules, as Lightning takes them."""

import math
from typing import Any

from pytorch_lightning import Trainer
from torch import nn, optim
from torch.optim import lr_scheduler

from snaketorch.config.optimizers import LrScheduler, Optimizer

OPTIMIZERS = {"adamw": optim.AdamW, "adam": optim.Adam, "sgd": optim.SGD, "rmsprop": optim.RMSprop}


class Optimization:
    """Gives a network its optimizer and schedule. Learning rates follow optimizer steps or epochs."""

    def __init__(self, optimizer: Optimizer, schedule: LrScheduler):
        self.optimizer, self.schedule = optimizer, schedule

    def __call__(self, network: nn.Module, trainer: Trainer) -> dict[str, Any]:
        """The return value of Lightning's ``configure_optimizers``."""
        options = self.optimizer.model_dump(exclude={"kind"})
        groups = _decay_groups(network, options.pop("weight_decay"))
        optimizer = OPTIMIZERS[self.optimizer.kind](groups, **options)
        make = SCHEDULES[self.schedule.kind]
        schedule = make(self.schedule, optimizer, trainer)
        return {"optimizer": optimizer} | ({"lr_scheduler": schedule} if schedule else {})


def _decay_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices and filters only: biases and normalisation have no direction to shrink."""
    decayed = [weight for weight in network.parameters() if weight.requires_grad and weight.ndim > 1]
    others = [weight for weight in network.parameters() if weight.requires_grad and weight.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def _none(options, optimizer, trainer):
    return None


def _cosine(options, optimizer, trainer):
    steps = int(trainer.estimated_stepping_batches)
    warmup = round(steps * options.warmup_epochs / trainer.max_epochs)
    floor = options.min_lr / optimizer.param_groups[0]["lr"]

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done = min(1.0, (step - warmup) / max(1, steps - warmup))
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))

    return {"scheduler": lr_scheduler.LambdaLR(optimizer, factor), "interval": "step"}


def _one_cycle(options, optimizer, trainer):
    schedule = lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=optimizer.param_groups[0]["lr"],
        total_steps=int(trainer.estimated_stepping_batches),
        pct_start=options.pct_start,
        div_factor=options.div_factor,
    )
    return {"scheduler": schedule, "interval": "step"}


def _step(options, optimizer, trainer):
    return {"scheduler": lr_scheduler.StepLR(optimizer, options.step_size, options.gamma), "interval": "epoch"}


def _plateau(options, optimizer, trainer):
    schedule = lr_scheduler.ReduceLROnPlateau(
        optimizer,
        mode=trainer.lightning_module.mode_of(options.monitor),
        factor=options.factor,
        patience=options.patience,
        min_lr=options.min_lr,
    )
    return {
        "scheduler": schedule,
        "interval": "epoch",
        "monitor": options.monitor,
        "frequency": trainer.check_val_every_n_epoch,
    }


SCHEDULES = {"none": _none, "cosine": _cosine, "one_cycle": _one_cycle, "step": _step, "plateau": _plateau}
