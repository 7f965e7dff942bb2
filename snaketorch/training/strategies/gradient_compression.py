"""Smaller messages between processes that average their gradients: ``trainer.gradient_compression``."""

import math
from collections.abc import Callable
from typing import Any, Literal

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor, distributed
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import bf16_compress_hook, fp16_compress_hook
from torch.distributed.algorithms.ddp_comm_hooks.powerSGD_hook import PowerSGDState, powerSGD_hook

from snaketorch.errors import UserError
from snaketorch.tasks.peers import Peers

RANK = 4
"""Of the matrices that PowerSGD sends, as for the language model of its paper."""
WHOLE_SHARE = 0.1
"""Share of the steps, at the beginning, whose gradients PowerSGD leaves whole, as torch advises."""

Sent = torch.futures.Future[Tensor]


def rounded_to_bf16(group: distributed.ProcessGroup | None, bucket: distributed.GradBucket) -> Sent:
    """By a name of its own torch's hook is taken on CPUs too, which can add up such numbers as well."""
    return bf16_compress_hook(group, bucket)


ROUNDED: dict[str, Callable[..., Sent]] = {"fp16": fp16_compress_hook, "bf16": rounded_to_bf16}


class GradientCompression(Callback):
    """Has processes send their gradients in fewer bytes, by torch's communication hooks.

    PowerSGD (arXiv 1905.13727) adds what a step did not send to the gradients of the next. A checkpoint has that of
    each process, so that a training goes on with the same bits; there it takes as much room as the gradients of all.
    """

    def __init__(self, kind: Literal["fp16", "bf16", "powersgd"], peers: Peers):
        self.kind, self.peers = kind, peers
        self.power: PowerSGDState | None = None
        self.restored: dict[str, Any] | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        model = trainer.strategy.model
        if self.kind != "powersgd":
            model.register_comm_hook(None, ROUNDED[self.kind])
            return
        if getattr(trainer.precision_plugin, "scaler", None):
            raise UserError(
                "trainer.gradient_compression: powersgd cannot be used in precision 16-mixed, which looks for the "
                "scale of gradients by letting some overflow; allowed: another trainer.precision, or bf16, fp16, none"
            )
        whole_steps = max(2, math.ceil(WHOLE_SHARE * trainer.estimated_stepping_batches))
        self.power = PowerSGDState(None, matrix_approximation_rank=RANK, start_powerSGD_iter=whole_steps)
        if self.restored:
            self._restore(pl_module.device)
        model.register_comm_hook(self.power, powerSGD_hook)

    def state_dict(self) -> dict[str, Any]:
        power = self.power
        if power is None:
            return {}
        # it draws random numbers for the first matrices alone, so there is no state of them to keep
        return {
            "steps": power.iter,
            "unsent": {number: self.peers.at_first(unsent.cpu()) for number, unsent in power.error_dict.items()},
            "left": {number: left.cpu() for number, left in power.p_memory_dict.items()},
            "right": {number: right.cpu() for number, right in power.q_memory_dict.items()},
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.restored = state_dict

    def _restore(self, device: torch.device) -> None:
        power, state = self.power, self.restored
        power.iter = state["steps"]
        power.error_dict = {number: own[self.peers.rank].to(device) for number, own in state["unsent"].items()}
        power.p_memory_dict = _on(device, state["left"])
        power.q_memory_dict = _on(device, state["right"])
        self.restored = None


def _on(device: torch.device, tensors: dict[int, Tensor]) -> dict[int, Tensor]:
    return {number: tensor.to(device) for number, tensor in tensors.items()}
