"""What happens when a loss is infinite or not a number: ``trainer.on_non_finite_loss``.

``stop``: the training ends, before the weights are spoilt. On a GPU the losses stay on the device and are looked at
every ``log_every_n_steps``, at the ends of epochs and before each checkpoint, so that no step waits; the weights may be
spoilt by then, and no checkpoint has them.

``skip``: the step counts, for schedules too, but changes nothing: not the weights, nor running statistics, nor what the
optimizer remembers. Gradients that are not finite count like such a loss.

``restore``: after such a step weights, optimizers and averages go back to the end of the last epoch, or to the start,
and the data go on, as in the training of PaLM (arXiv 2204.02311, section 5.1); schedules follow the steps.

The last two look at every step, for which a GPU waits. Their batches are left out of the means of the epoch.
"""

import logging
import math
from collections import deque
from collections.abc import Mapping
from typing import Any, Literal

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor
from torch.optim import Optimizer

from snaketorch.errors import NonFiniteLoss
from snaketorch.tasks.peers import ALONE, Peers
from snaketorch.training.averaging import WeightAveraging
from snaketorch.training.non_finite_report import Step, describe, gradient_norms, layers_not_finite
from snaketorch.training.snapshot import go_back, take_snapshot
from snaketorch.training.strategies.parts import total_norm

log = logging.getLogger(__name__)

LOSSES_BEFORE = 10
"""Losses that the error tells of those before."""
TOLD, LISTED = 10, 100
"""Steps that the log names, and that the record does."""
MOST_IN_A_ROW = 10
MOST_OF_AN_EPOCH = 0.01
"""Share of an epoch's steps that may be left out; always ``MOST_IN_A_ROW``."""
MOST_RESTORES = 3
"""From one place."""


class NonFinite(Callback):
    """Watches the losses whose gradients make the steps, with one optimizer or several, and reacts.

    It goes before the callbacks that act on what a step has made, such as averages.
    """

    def __init__(
        self,
        reaction: Literal["stop", "skip", "restore"] = "stop",
        averaging: WeightAveraging | None = None,
        peers: Peers = ALONE,
    ):
        """Of several processes all see the mean of their losses, and react alike."""
        self.reaction, self.averaging, self.peers = reaction, averaging, peers
        self.loss: Tensor | None = None  # of the batches since the last step
        self.earlier: Tensor | None = None  # the same, without the last batch
        self.first_batch = self.last_batch = 0
        self.unseen: list[Step] = []
        self.before: deque[Step] = deque(maxlen=LOSSES_BEFORE)
        self.norms: tuple[int, Mapping[str, float]] | None = None
        self.buffers: list[Tensor] = []
        self.goes_back = False
        self.snapshot: dict[str, Any] | None = None
        self.restores_from_here = 0
        self.skipped = self.restored = self.in_a_row = self.in_epoch = 0
        self.last_step = self.epoch = 0
        self.steps: list[int] = []

    def record(self) -> dict[str, Any]:
        """For the record; the first ``LISTED`` steps."""
        return {"skipped": self.skipped, "restored": self.restored, "steps": self.steps}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        pl_module.train_means.finite_only = self.reaction != "stop"

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.reaction == "restore" and self.snapshot is None:
            self.snapshot = take_snapshot(trainer, pl_module.network, self.averaging)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if self.reaction == "skip" and self.loss is None:
            self.buffers = [buffer.clone() for buffer in pl_module.network.buffers()]

    def on_before_backward(self, trainer: Trainer, pl_module: LightningModule, loss: Tensor) -> None:
        loss = loss.detach()
        if scaler := getattr(trainer.precision_plugin, "scaler", None):
            loss = loss / scaler.scale(torch.ones_like(loss))  # to ask for the scale would wait for the GPU
        batch = trainer.fit_loop.epoch_loop.batch_idx
        if self.loss is None:
            self.earlier, self.first_batch = None, batch
        elif batch != self.last_batch or not pl_module.automatic_optimization:
            self.earlier = self.loss  # of a batch that is computed in parts, the last loss is that of all of it
        self.loss = loss if self.earlier is None else self.earlier + loss
        self.last_batch = batch

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer) -> None:
        step = Step(
            number=trainer.global_step + 1,
            epoch=trainer.current_epoch + 1,
            batches=range(self.first_batch, trainer.fit_loop.epoch_loop.batch_idx + 1),
            name=pl_module.loss_names[trainer.optimizers.index(optimizer)],
            loss=self.loss,
        )
        self.loss = None
        self.unseen.append(step)
        waits = self._waits(pl_module)
        if waits and step.number % trainer.log_every_n_steps:
            return
        if waits:
            self.norms = step.number, gradient_norms(pl_module.network)
        found = self._look()
        if found is None and self.reaction != "stop" and not self._gradients_are_finite(trainer, optimizer):
            found = step
        if found is not None:
            self._react(found, trainer, pl_module, optimizer)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if self.goes_back:
            self.goes_back = False
            go_back(self.snapshot, trainer, pl_module.network, self.averaging)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop_if_found(trainer, pl_module)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for name, value in trainer.callback_metrics.items():
            if name.startswith("val/") and name.endswith("loss") and not math.isfinite(float(value)):
                raise NonFiniteLoss(
                    f"{name} became {float(value)} in the validation of epoch {trainer.current_epoch + 1}, and the "
                    "losses of the training did not; look for values in the validation data that are not finite, or "
                    "try a smaller optimizer.lr, or trainer.precision: 32-true"
                )

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop_if_found(trainer, pl_module)
        if self.reaction == "restore":
            self.snapshot, self.restores_from_here = take_snapshot(trainer, pl_module.network, self.averaging), 0

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.skipped:
            log.warning("%d steps were left out in all, their losses were not finite", self.skipped)
        if self.restored:
            log.warning("The training went back to the end of an epoch %d times in all", self.restored)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self._stop_if_found(trainer, pl_module)
        if broken := layers_not_finite(pl_module.network):
            raise NonFiniteLoss(
                f"weights of {', '.join(broken)} are not finite after step {trainer.global_step}: their gradients were "
                "not, though the losses were. No checkpoint has them. Try a smaller optimizer.lr, "
                "trainer.gradient_clip_val, or on_non_finite_loss: skip, which looks at gradients too"
            )

    def state_dict(self) -> dict[str, Any]:
        names = ["skipped", "restored", "in_a_row", "in_epoch", "last_step", "epoch", "steps"]
        return {name: getattr(self, name) for name in [*names, "restores_from_here", "snapshot"]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name, value in state_dict.items():
            setattr(self, name, value)

    def _waits(self, task: LightningModule) -> bool:
        """Whether losses are left on the device for a while, so that no step has to wait for it."""
        return self.reaction == "stop" and task.device.type != "cpu"

    def _look(self) -> Step | None:
        """The first step whose loss is not finite, of those that nobody looked at."""
        steps, self.unseen = self.unseen, []
        for step, loss in zip(steps, self._read([step.loss for step in steps]), strict=True):
            step.loss = loss
            if not math.isfinite(loss):
                return step
            self.before.append(step)
        return None

    def _stop_if_found(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if (found := self._look()) is not None:
            raise describe(found, self.before, self.norms, trainer, pl_module)

    def _react(self, step: Step, trainer: Trainer, task: LightningModule, optimizer: Optimizer) -> None:
        if self.reaction == "stop":
            norms = self.norms or (step.number, gradient_norms(task.network))
            raise describe(step, self.before, norms, trainer, task)
        if step.number != self.last_step:  # several networks may step in one
            self._count(step)
            self._stop_if_too_many(step, trainer, task)
            if self.skipped <= TOLD:
                value = f"{step.name} is {step.loss}" if not math.isfinite(step.loss) else "a gradient is not finite"
                does = "the step is left out" if self.reaction == "skip" else "going back to the end of the last epoch"
                log.warning("Step %d, epoch %d: %s; %s", step.number, step.epoch, value, does)
        optimizer.zero_grad(set_to_none=True)  # so the step changes nothing, and counts
        if self.reaction == "restore":
            self.goes_back = True  # when all networks have stepped
        else:
            for buffer, value in zip(task.network.buffers(), self.buffers, strict=True):
                buffer.copy_(value)

    def _count(self, step: Step) -> None:
        self.in_a_row = self.in_a_row + 1 if step.number == self.last_step + 1 else 1
        self.in_epoch = self.in_epoch + 1 if step.epoch == self.epoch else 1
        self.last_step, self.epoch = step.number, step.epoch
        self.skipped += 1
        if len(self.steps) < LISTED:
            self.steps.append(step.number)
        if self.reaction == "restore":
            self.restored += 1
            self.restores_from_here += 1

    def _stop_if_too_many(self, step: Step, trainer: Trainer, task: LightningModule) -> None:
        steps = math.ceil(trainer.num_training_batches / trainer.accumulate_grad_batches)
        why = None
        if self.restores_from_here > MOST_RESTORES:
            why = f"it happened again after {MOST_RESTORES} returns to the end of the epoch before"
        elif self.in_a_row > MOST_IN_A_ROW:
            why = f"{self.in_a_row} steps in a row"
        elif self.in_epoch > max(MOST_IN_A_ROW, MOST_OF_AN_EPOCH * steps) or self.in_epoch == steps:
            why = f"{self.in_epoch} of the {steps} steps of epoch {step.epoch}"
        if why:
            norms = step.number, gradient_norms(task.network)
            error = describe(step, self.before, norms, trainer, task)
            summary, _, lines = str(error).partition("\n")
            error.args = (f"{summary}\n  {self.reaction} was given up: {why}\n{lines}",)
            raise error

    @staticmethod
    def _gradients_are_finite(trainer: Trainer, optimizer: Optimizer) -> bool:
        if getattr(trainer.precision_plugin, "scaler", None):
            return True  # it leaves out such steps itself, as it looks for its scale
        gradients = [weight.grad for group in optimizer.param_groups for weight in group["params"]]
        norm = total_norm(gradient for gradient in gradients if gradient is not None)
        return bool(norm.isfinite())

    def _read(self, losses: list[Tensor]) -> list[float]:
        """On a GPU it is waited for once."""
        if losses and not self.peers.is_alone:
            return (self.peers.sum(torch.stack(losses)) / self.peers.world_size).tolist()
        return torch.stack(losses).tolist() if len(losses) > 1 else [float(loss) for loss in losses]
