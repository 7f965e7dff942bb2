"""Averages of the weights, which are validated and published in the place of the last ones.

Lightning's callback of this name averages the whole module, so the sums of an epoch's metrics too, and swaps them away
in the middle of a validation. Here it is the network alone.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from snaketorch.config.averaging import Ema
from snaketorch.config.averaging import WeightAveraging as Options


class WeightAveraging(Callback):
    """Averages ``network``, or a part of it, and puts the average in its place for each validation.

    Running statistics (of batch normalisation) are averaged with the weights.
    """

    def __init__(self, options: Options, network: nn.Module, max_epochs: int, part: str = ""):
        """``part``: the name of the submodule to average; all of the network when empty."""
        self.network, self.part = network, network.get_submodule(part)
        self.prefix = f"{part}." if part else ""
        self.is_ema = isinstance(options, Ema)
        self.first_epoch = 0 if self.is_ema else math.floor(options.start * max_epochs)
        self.decay = options.decay if self.is_ema else None
        self.average: AveragedModel | None = None
        self.steps = 0
        self.not_averaged: list[tuple[Tensor, Tensor]] = []
        self.restored: dict[str, Tensor] | None = None
        self.own: dict[str, Tensor] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether there is an average; that of an EMA begins with the first step."""
        return self.average is not None and bool(self.average.n_averaged)

    def weights(self) -> dict[str, Tensor]:
        """The state of the network with what is averaged; its own as long as nothing is."""
        if not self.has_begun:
            return self.network.state_dict()
        averaged = {self.prefix + name: value for name, value in self.average.module.state_dict().items()}
        return self.network.state_dict() | averaged

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # a training killed before its publication has no step left: Lightning calls no `on_train_start` of it
        self.average = AveragedModel(self.part, multi_avg_fn=moving_mean(self.decay), use_buffers=True)
        if self.restored is not None:
            self.average.load_state_dict(self.restored)
        # such as the mask of an attention: the mean of two infinities would be no number
        buffers = zip(self.average.module.buffers(), self.part.buffers(), strict=True)
        self.not_averaged = [(average, own) for average, own in buffers if own.isinf().any()]

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        if self.is_ema:
            due = trainer.global_step > self.steps  # with accumulation most batches end no step
        else:
            due = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch and trainer.current_epoch >= self.first_epoch
        if due:
            self.average.update_parameters(self.part)
            for average, own in self.not_averaged:
                average.copy_(own)
        self.steps = trainer.global_step

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.own = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(self.weights())

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.network.load_state_dict(self.own)
        self.own = None

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps, "average": self.average.state_dict() if self.average is not None else None}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.steps, self.restored = state_dict["steps"], state_dict["average"]


def moving_mean(decay: float | None) -> Callable[[list[Tensor], list[Tensor], Tensor], None]:
    """Brings averages up to date in place, for ``AveragedModel``: with equal weights where ``decay`` is None.

    Whole numbers, such as a count of batches, are taken over as they are: torch's own functions divide them, which
    fails on a GPU.
    """

    def update(averages: list[Tensor], values: list[Tensor], count: Tensor) -> None:
        share = 1 / (int(count) + 1) if decay is None else 1 - decay
        if averages[0].is_floating_point():
            torch._foreach_lerp_(averages, values, share)
        else:
            torch._foreach_copy_(averages, values)

    return torch.no_grad()(update)
