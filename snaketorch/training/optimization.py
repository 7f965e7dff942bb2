"""Optimizers and learning-rate schedules, as Lightning takes them."""

import math
from collections.abc import Sequence
from typing import Any

from pytorch_lightning import Trainer
from torch import nn, optim
from torch.optim import lr_scheduler

from snaketorch.config.optimizers import LrScheduler, Optimizer
from snaketorch.training.transfer import Layer

CLIPPING = {"norm": nn.utils.clip_grad_norm_, "value": nn.utils.clip_grad_value_}
OPTIMIZERS = {"adamw": optim.AdamW, "adam": optim.Adam, "sgd": optim.SGD, "rmsprop": optim.RMSprop}


class Optimization:
    """Gives a network its optimizer and schedule. Learning rates follow optimizer steps or epochs."""

    def __init__(
        self,
        optimizer: Optimizer,
        schedule: LrScheduler,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str = "norm",
        layers: Sequence[Layer] | None = None,
    ):
        """``layers``: the parts that learn, the quickest first; all of the network at one rate when absent."""
        self.optimizer, self.schedule, self.layers = optimizer, schedule, layers
        self.gradient_clip_val, self.gradient_clip_algorithm = gradient_clip_val, gradient_clip_algorithm

    def __call__(self, network: nn.Module, trainer: Trainer, lr_factor: float = 1.0) -> dict[str, Any]:
        """The return value of Lightning's ``configure_optimizers``, with the learning rate times ``lr_factor``."""
        options = self.optimizer.model_dump(exclude={"kind"})
        options["lr"] *= lr_factor
        layers = self.layers or [Layer([weight for weight in network.parameters() if weight.requires_grad], 1.0)]
        weight_decay = options.pop("weight_decay")
        groups = [
            {**group, "lr": options["lr"] * layer.factor}
            for layer in layers
            for group in _decay_groups(layer.parameters, weight_decay)
        ]
        optimizer = OPTIMIZERS[self.optimizer.kind](groups, **options)
        make = SCHEDULES[self.schedule.kind]
        schedule = make(self.schedule, optimizer, trainer, self.optimizer.lr)
        return {"optimizer": optimizer} | ({"lr_scheduler": schedule} if schedule else {})

    def clip(self, network: nn.Module) -> None:
        """Bounds the gradients of ``network``, for tasks that step by themselves; for others Lightning does it."""
        if self.gradient_clip_val is not None:
            clip = CLIPPING[self.gradient_clip_algorithm]
            clip(network.parameters(), self.gradient_clip_val)


def _decay_groups(parameters: Sequence[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices and filters only: biases and normalisation have no direction to shrink."""
    decayed = [weight for weight in parameters if weight.ndim > 1]
    others = [weight for weight in parameters if weight.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def _rates(optimizer: optim.Optimizer) -> list[float]:
    return [group["lr"] for group in optimizer.param_groups]


def _none(options, optimizer, trainer, lr):
    return None


def _cosine(options, optimizer, trainer, lr):
    steps = int(trainer.estimated_stepping_batches)
    warmup = round(steps * options.warmup_epochs / trainer.max_epochs)
    floor = options.min_lr / lr

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done = min(1.0, (step - warmup) / max(1, steps - warmup))
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))

    return {"scheduler": lr_scheduler.LambdaLR(optimizer, factor), "interval": "step"}


def _one_cycle(options, optimizer, trainer, lr):
    steps, pct_start = int(trainer.estimated_stepping_batches), options.pct_start
    if pct_start * steps == 1:  # a way up of no length, by which torch would divide
        pct_start *= 1 + 1e-9
    schedule = lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=_rates(optimizer),
        total_steps=steps,
        pct_start=pct_start,
        div_factor=options.div_factor,
        cycle_momentum=options.cycle_momentum,
    )
    return {"scheduler": schedule, "interval": "step"}


def _step(options, optimizer, trainer, lr):
    return {"scheduler": lr_scheduler.StepLR(optimizer, options.step_size, options.gamma), "interval": "epoch"}


def _plateau(options, optimizer, trainer, lr):
    schedule = lr_scheduler.ReduceLROnPlateau(
        optimizer,
        mode=trainer.lightning_module.mode_of(options.monitor),
        factor=options.factor,
        patience=options.patience,
        min_lr=[options.min_lr / lr * rate for rate in _rates(optimizer)],
    )
    return {
        "scheduler": schedule,
        "interval": "epoch",
        "monitor": options.monitor,
        "frequency": trainer.check_val_every_n_epoch,
    }


SCHEDULES = {"none": _none, "cosine": _cosine, "one_cycle": _one_cycle, "step": _step, "plateau": _plateau}
"""Each is told `optimizer.lr`, of which `min_lr` speaks: a rate with a factor, as those of some layers or of one of two
networks, falls to the same share of itself."""
