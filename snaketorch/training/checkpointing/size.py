"""How much room a checkpoint takes, before the first is made."""

from collections.abc import Iterable

from torch import nn

from snaketorch.config.specs import TrainSpec

STATES = {"adamw": 2, "adam": 2, "sgd": 1, "rmsprop": 2}
"""Tensors that an optimizer may keep for each weight that learns."""


def checkpoint_bytes(spec: TrainSpec, module: nn.Module, learnable: Iterable[nn.Parameter]) -> int:
    """Size of a checkpoint, an estimate from above.

    Args:
        spec: Says what is saved.
        module: All that has weights.
        learnable: The weights that learn at some time.
    """
    weights = sum(tensor.nbytes for tensor in module.state_dict().values())
    averages = weights if spec.weight_averaging else 0
    gradients = sum(weight.nbytes for weight in learnable)
    state = weights + averages + STATES[spec.optimizer.kind] * gradients
    if spec.trainer.gradient_compression == "powersgd":
        state += spec.trainer.devices * spec.trainer.num_nodes * gradients
    if spec.trainer.on_non_finite_loss == "restore":
        state *= 2  # that of the end of the last epoch is kept too
    return state + (weights if spec.checkpoint.save == "best" else 0)
