"""Lightning's part of a training in which each process has a part of the network."""

from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Trainer
from pytorch_lightning.core.optimizer import LightningOptimizer
from pytorch_lightning.strategies import ModelParallelStrategy
from pytorch_lightning.strategies.strategy import Strategy
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.optim import Optimizer

from snaketorch.config.specs import TrainSpec
from snaketorch.tasks.base import TaskModule
from snaketorch.training.strategies.parts import (
    parts_of_optimizer_state,
    take_parts,
    whole_optimizer_state,
    whole_state,
)


class InParts(ModelParallelStrategy):
    """Trains a network that is in parts already, see ``sharding``.

    A checkpoint is one file, as that of a training on one device: each tensor is made whole for it in turn, and the
    first process writes them. Each process reads the whole file again, mapped into memory, and takes its parts.
    """

    def __init__(self, mesh: DeviceMesh):
        super().__init__(*mesh.shape, save_distributed_checkpoint=False)
        self._device_mesh = mesh

    def setup_environment(self) -> None:
        # that of Lightning's would make a mesh of its own
        super(ModelParallelStrategy, self).setup_environment()
        self._setup_distributed()
        self.lightning_module._device_mesh = self._device_mesh

    def setup(self, trainer: Trainer) -> None:
        # that of Lightning's has the module make its parts now
        Strategy.setup(self, trainer)

    def lightning_module_state_dict(self) -> dict[str, Any]:
        return whole_state(self.lightning_module, keeps=self.is_global_zero)

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        if isinstance(optimizer, LightningOptimizer):
            optimizer = optimizer.optimizer
        return whole_optimizer_state(optimizer.state_dict(), keeps=self.is_global_zero)

    def load_checkpoint(self, checkpoint_path: str | Path, weights_only: bool | None = None) -> dict[str, Any]:
        return torch.load(checkpoint_path, map_location="cpu", weights_only=True, mmap=True)

    def load_model_state_dict(self, checkpoint: dict[str, Any], strict: bool = True) -> None:
        take_parts(self.lightning_module, checkpoint["state_dict"])

    def load_optimizer_state_dict(self, checkpoint: dict[str, Any]) -> None:
        for optimizer, state in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]
            optimizer.load_state_dict(parts_of_optimizer_state(state, weights))

    @property
    def lightning_restore_optimizer(self) -> bool:
        return True


def in_parts(spec: TrainSpec, task: TaskModule, learnable: list[nn.Parameter]) -> InParts:
    """The strategy of a task whose network is in parts."""
    return InParts(task.device_mesh)
