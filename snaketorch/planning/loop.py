"""The part of Lightning's loop that decides on memory: the order of forward, gradients and steps.

Lightning drops the gradients of a step only after the next forward, so that these are alive together.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from itertools import chain
from types import SimpleNamespace
from typing import Any

import torch
from pytorch_lightning.plugins import DoublePrecision, MixedPrecision, Precision
from torch import Tensor, nn, optim

from snaketorch.config.specs import TrainSpec
from snaketorch.data.loading.samples import Batch
from snaketorch.tasks.base import TaskModule
from snaketorch.training.optimization import CLIPPING


def precision_plugin(precision: str, device: str = "cpu") -> Precision:
    """Lightning's, for tensors of ``device``; that of float16 without its scaler, which holds a few numbers."""
    match precision:
        case "64-true":
            return DoublePrecision()
        case "bf16-mixed":
            return MixedPrecision(precision, device)
        case "16-mixed":
            return MixedPrecision(precision, device, SimpleNamespace())
    return Precision()


class Loop:
    """Stands for Lightning's trainer and its strategy where a task asks for them; makes optimizer steps.

    Attributes:
        optimizers: Of the task, in its order.
    """

    def __init__(self, spec: TrainSpec, task: TaskModule, plugin: Precision, in_lists: bool = False):
        """``in_lists``: the optimizers' operations take all weights at once, as torch has it on a GPU."""
        self.spec, self.task, self.plugin = spec, task, plugin
        self.accumulate_grad_batches = spec.trainer.accumulate_grad_batches if task.automatic_optimization else 1
        self.max_epochs = spec.trainer.max_epochs
        self.current_epoch = self.max_epochs - 1  # when most of the weights learn
        self.estimated_stepping_batches = self.num_training_batches = 2**31
        self.check_val_every_n_epoch = spec.trainer.check_val_every_n_epoch
        self.lr_scheduler_configs: Sequence[Any] = ()
        self.lightning_module, self.strategy = task, self
        task.trainer = self
        found = task.configure_optimizers()
        self.optimizers: list[optim.Optimizer] = [
            one["optimizer"] for one in (found if isinstance(found, list) else [found])
        ]
        for group in chain.from_iterable(optimizer.param_groups for optimizer in self.optimizers):
            group["foreach"] = in_lists

    @property
    def _lightning_optimizers(self) -> list[optim.Optimizer]:
        return self.optimizers

    def backward(self, loss: Tensor, *_: Any) -> None:
        """As a strategy has it."""
        loss.backward()

    def optimizer_step(self, optimizer: optim.Optimizer, closure: Callable[[], Any], *_: Any) -> None:
        """As a strategy has it."""
        optimizer.step()

    def stand_after_a_step(self) -> None:
        """Gives the weights gradients and the optimizers their state, without a step."""
        for optimizer in self.optimizers:
            for weight in _weights_of(optimizer):
                if weight.requires_grad:
                    weight.grad = torch.empty_like(weight)
            # a task that steps by itself does so in its training step, whose number format the counts of steps have
            with nullcontext() if self.task.automatic_optimization else self.plugin.train_step_context():
                optimizer.step()

    def forget_idle(self) -> list[Tensor]:
        """Drops, and gives, the state of weights that a step gave no gradient, which would have none in truth."""
        dropped = []
        for optimizer in self.optimizers:
            for weight in _weights_of(optimizer):
                if weight.grad is None and weight in optimizer.state:
                    dropped += [value for value in optimizer.state.pop(weight).values() if isinstance(value, Tensor)]
        return dropped

    def step(self, batches: Sequence[Batch]) -> None:
        """One optimizer step, or one of each network; ``batches`` are as many as accumulate."""
        if not self.task.automatic_optimization:
            with self.plugin.train_step_context():
                self.task.training_step(batches[0], 0)
            return
        (optimizer,) = self.optimizers
        for number, batch in enumerate(batches):
            with self.plugin.train_step_context():
                loss = self.task.training_step(batch, number) / len(batches)
            if number == 0:
                self.task.optimizer_zero_grad(self.current_epoch, number, optimizer)
            loss.backward()
            del loss
        self._clip(optimizer)
        optimizer.step()

    def validate(self, batch: Batch) -> None:
        """One batch of a validation."""
        modes = {module: module.training for module in self.task.modules()}
        self.task.eval()
        with torch.no_grad(), self.plugin.val_step_context():
            self.task.validation_step(batch, 0)
        for module, mode in modes.items():
            module.training = mode

    def _clip(self, optimizer: optim.Optimizer) -> None:
        if (bound := self.spec.trainer.gradient_clip_val) is not None:
            CLIPPING[self.spec.trainer.gradient_clip_algorithm](_weights_of(optimizer), bound)


def _weights_of(optimizer: optim.Optimizer) -> list[nn.Parameter]:
    return [weight for group in optimizer.param_groups for weight in group["params"]]
