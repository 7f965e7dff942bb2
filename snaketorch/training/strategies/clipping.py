"""Gradients that are bounded although each process has a part of them."""

from typing import Any, Literal

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch.optim import Optimizer

from snaketorch.training.strategies.parts import own_part, total_norm


class ClipParts(Callback):
    """Bounds gradients before each step, their norm over all processes or each value, as Lightning does whole ones.

    After the callback that looks for gradients that are not finite.
    """

    def __init__(self, bound: float, algorithm: Literal["norm", "value"]):
        self.bound, self.algorithm = bound, algorithm

    @torch.no_grad()
    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer) -> None:
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        factor: Any = None
        if self.algorithm == "norm":
            factor = (self.bound / (total_norm(gradients) + 1e-6)).clamp(max=1.0)  # as torch's clip_grad_norm_
        for gradient in map(own_part, gradients):
            if factor is None:
                gradient.clamp_(-self.bound, self.bound)
            else:
                gradient.mul_(factor.to(gradient.dtype))
