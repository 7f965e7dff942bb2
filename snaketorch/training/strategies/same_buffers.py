"""Running statistics that stay the same in all processes."""

from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from snaketorch.tasks.peers import Peers


class SameBuffers(Callback):
    """Has all processes go on from the running statistics of the first, which are those that are kept.

    After each batch, not before the next as torch has it: averages, validations and checkpoints see the same then.
    """

    def __init__(self, peers: Peers):
        self.peers = peers

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.peers.take_over(list(pl_module.network.buffers()))

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        self.peers.take_over(list(pl_module.network.buffers()))
