"""Says now and then how far a training is, for whoever asks ``python -m snaketorch status``."""

import logging
import math
import os
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint

from snaketorch.hardware.memory import peak_memory_mb
from snaketorch.state.progress import Progress, write_progress
from snaketorch.training.callbacks import History

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
AT_EPOCHS_SECONDS = 1.0  # between two epochs' ends that are told


class TellProgress(Checkpoint):
    """Writes ``progress.json`` into the state folder.

    It reads counters and clocks of the host and what the history has read already, so that no step waits for
    the GPU because of it. A ``Checkpoint`` because Lightning runs those after all else, in the order in which they
    are given: it goes after the history, which gives the metrics.
    """

    def __init__(self, folder: Path, history: History, seconds: Callable[[], float]):
        """``seconds``: what the training took so far, earlier attempts included."""
        self.folder, self.history, self.seconds = folder, history, seconds
        self.told_at = -math.inf
        self.began: tuple[float, int] | None = None  # when this attempt's pace could first be taken, and at which batch
        self.failed = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._tell(trainer)

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        if self.began is None:  # the first batch warms up: it compiles, allocates, chooses algorithms
            self.began = time.monotonic(), _done(trainer)
        self._tell_after(EVERY_SECONDS, trainer)

    def on_validation_batch_end(self, trainer: Trainer, *_: Any) -> None:
        self._tell_after(EVERY_SECONDS, trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._tell_after(AT_EPOCHS_SECONDS, trainer)

    def _tell_after(self, seconds: float, trainer: Trainer) -> None:
        if time.monotonic() - self.told_at >= seconds:
            self._tell(trainer)

    def _tell(self, trainer: Trainer) -> None:
        if not trainer.is_global_zero:
            return
        self.told_at = time.monotonic()
        try:
            write_progress(self.folder, self._progress(trainer))
        except OSError as error:  # a training does not end because nobody can watch it
            if not self.failed:
                log.warning("Its progress cannot be written to %s: %s", self.folder, error.strerror)
            self.failed = True

    def _progress(self, trainer: Trainer) -> Progress:
        batches, done = int(trainer.num_training_batches), _done(trainer)
        epoch, batch = divmod(done, batches)
        return Progress(
            epoch=epoch,
            max_epochs=trainer.max_epochs,
            batch=batch,
            batches=batches,
            seconds=round(self.seconds(), 1),
            seconds_left=self._seconds_left(trainer.max_epochs * batches, done),
            metrics=self._metrics(),
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            peak_memory_mb=round(peak_memory_mb(trainer.strategy.root_device), 1),
            host_memory_mb=round(peak_memory_mb(torch.device("cpu")), 1),
            pid=os.getpid(),
            host=socket.gethostname(),
        )

    def _seconds_left(self, batches: int, done: int) -> float | None:
        if self.began is None or done <= self.began[1]:
            return None
        start, first = self.began
        return round((time.monotonic() - start) / (done - first) * max(0, batches - done), 1)

    def _metrics(self) -> dict[str, float | None]:
        row = self.history.rows[-1] if self.history.rows else {}
        return {name: value if math.isfinite(value) else None for name, value in row.items() if "/" in name}


def _done(trainer: Trainer) -> int:
    """Batches that are done: `processed` is right inside an epoch and at its end, and counts one in a GAN too."""
    return trainer.fit_loop.epoch_loop.batch_progress.total.processed
