"""Which parts of a network learn, and how fast: transfer learning."""

import logging
from typing import NamedTuple

from pytorch_lightning import Callback, LightningModule, Trainer
from torch import nn

from snaketorch.config.transfer import FeatureExtraction, GradualUnfreezing, Transfer
from snaketorch.errors import UserError
from snaketorch.models.blocks import blocks_of

log = logging.getLogger(__name__)


class Layer(NamedTuple):
    """A part of a network for an optimizer."""

    parameters: list[nn.Parameter]
    factor: float
    """Its learning rate as a share of the optimizer's."""


def layers_of(network: nn.Module, options: Transfer) -> list[Layer]:
    """The blocks of ``network`` that learn at some time, the head first, each with its rate.

    Parameters that are in no block count as the first block's; one that blocks share, as that of the last of these.
    """
    blocks: list[list[nn.Parameter]] = []
    known: set[int] = set()
    for block in reversed(blocks_of(network)):
        own = [weight for weight in block.parameters() if weight.requires_grad and id(weight) not in known]
        known.update(map(id, own))
        blocks.append(own)
    blocks[-1] += [weight for weight in network.parameters() if weight.requires_grad and id(weight) not in known]
    if isinstance(options, FeatureExtraction):
        return [Layer(blocks[0], 1.0)]
    return [Layer(weights, options.layer_decay**depth) for depth, weights in enumerate(blocks)]


def learnable_weights(network: nn.Module, layers: list[Layer] | None) -> list[nn.Parameter]:
    """All weights that learn at some time: those of ``layers``, or where None what is not fixed."""
    if layers is None:
        return [weight for weight in network.parameters() if weight.requires_grad]
    return [weight for layer in layers for weight in layer.parameters]


class Freezing(Callback):
    """Keeps the first blocks of a network as they are, bit for bit: weights, statistics, and no dropout.

    How many are frozen is a function of the epoch alone, so a training goes on after a kill as it was.
    """

    def __init__(self, options: Transfer, network: nn.Module):
        if len(blocks_of(network)) < 2:
            raise UserError(
                f"transfer.kind: {options.kind} needs a network with a head, and {type(network).__name__} has no "
                "attribute `head` that is a module; allowed: fine_tuning, or a network with one"
            )
        self.options, self.network = options, network
        self.learnable = [weight for weight in network.parameters() if weight.requires_grad]
        self.learning = 0
        """Blocks that learn, from the head down."""
        self._freeze(epoch=0)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._freeze(trainer.current_epoch)  # a training that goes on inside an epoch does not start that one

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._freeze(trainer.current_epoch)

    def _freeze(self, epoch: int) -> None:
        blocks = blocks_of(self.network)
        learning = 1
        if isinstance(self.options, GradualUnfreezing):
            learning = min(len(blocks), 1 + epoch // self.options.epochs_per_block)
        all_learn = learning == len(blocks)
        modules = {module for block in blocks[len(blocks) - learning :] for module in block.modules()}
        weights = {id(weight) for module in modules for weight in module.parameters(recurse=False)}
        for module in self.network.modules():
            module.training = all_learn or module in modules
        for weight in self.learnable:
            weight.requires_grad_(all_learn or id(weight) in weights)
        if learning != self.learning:
            log.info("%d of %d blocks learn, from the head down", learning, len(blocks))
        self.learning = learning
