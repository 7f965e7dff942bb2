"""The strategies by their names in `trainer.strategy`."""

from collections.abc import Callable

from pytorch_lightning.strategies import Strategy
from torch import nn

from snaketorch.config.specs import TrainSpec
from snaketorch.tasks.base import TaskModule
from snaketorch.training.strategies.ddp import ddp


def _in_parts(spec: TrainSpec, task: TaskModule, learnable: list[nn.Parameter]) -> Strategy:
    from snaketorch.training.strategies.model_parallel import in_parts  # brings in much of torch

    return in_parts(spec, task, learnable)


def _shared_out(spec: TrainSpec, task: TaskModule, learnable: list[nn.Parameter]) -> Strategy:
    from snaketorch.training.strategies.deepspeed import shared_out  # an extra, and it takes long

    return shared_out(spec, task, learnable)


STRATEGIES: dict[str, Callable[[TrainSpec, TaskModule, list[nn.Parameter]], Strategy]] = {
    "auto": ddp,
    "ddp": ddp,
    "fsdp": _in_parts,
    "tensor_parallel": _in_parts,
    "fsdp_tensor_parallel": _in_parts,
    "deepspeed": _shared_out,
}
"""Each is told the training, what is trained, and the weights that learn at some time."""


def strategy_of(spec: TrainSpec, task: TaskModule, learnable: list[nn.Parameter]) -> Strategy:
    """The strategy of several processes that ``spec`` asks for, for Lightning."""
    return STRATEGIES[spec.trainer.strategy](spec, task, learnable)
