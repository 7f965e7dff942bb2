"""Batches that batch normalisation can train on."""

from collections.abc import Iterable

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from snaketorch.errors import UserError


def check_batches(network: nn.Module, learnable: Iterable[nn.Parameter], batch_size: int, samples: int) -> None:
    """Refuses batches of one sample for a network with batch normalisation: a single sample has no variance.

    Args:
        network: As it is trained.
        learnable: Its weights that learn at some time: layers that stay frozen take no statistics.
        batch_size: Samples in each step.
        samples: In the training split.

    Raises:
        UserError: A step would have one sample.
    """
    if min(batch_size, samples) > 1:
        return
    if name := normalises_by_batch(network, learnable):
        what = "1" if batch_size == 1 else f"{batch_size} of a single training sample"
        raise UserError(
            f"data_loader.batch_size: {what}, but the network normalises by batch ({name}), which needs the "
            "variance of at least two samples; allowed: 2 or more, or a network without batch normalisation"
        )


def normalises_by_batch(network: nn.Module, learnable: Iterable[nn.Parameter]) -> str | None:
    """Name of the first layer of ``network`` that takes statistics of a batch in training; None without one."""
    known = {id(weight) for weight in learnable}
    for name, layer in network.named_modules():
        if isinstance(layer, _BatchNorm) and (not layer.affine or id(layer.weight) in known):
            return name
    return None
