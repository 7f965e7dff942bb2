"""Schedules that wait for a plateau, told of every epoch, whatever was killed in between."""

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint


class PlateauSteps(Checkpoint):
    """Tells the schedule how an epoch went, before the checkpoint of that epoch is made.

    Lightning would do that after the checkpoint, and not at all in an epoch that a training went on inside of: the
    learning rate would fall later than in a training that was not interrupted. See ``TaskModule.lr_scheduler_step``.
    """

    def __init__(self, monitor: str):
        self.monitor = monitor

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        (config,) = trainer.lr_scheduler_configs
        if (trainer.current_epoch + 1) % config.frequency == 0:
            config.scheduler.step(float(trainer.callback_metrics[self.monitor]))
