"""What a training tells while it runs: its history, its journal, lines in the log; and its random state."""

import csv
import io
import logging
import random
import time
from typing import Any

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint

from snaketorch.data.loading.seeds import stable_seed
from snaketorch.journal import Journal
from snaketorch.tasks.peers import ALONE, Peers

log = logging.getLogger(__name__)

LINE_SECONDS = 60.0  # a sign of life in the log at least this often


class StepSeeds(Callback):
    """Random draws of a step as a function of (seed, step), so that they do not depend on where a training started.

    Of several processes each has draws of its own; the first has those that it would have alone.
    """

    def __init__(self, seed: int, rank: int = 0):
        self.seed = seed
        self.of_rank = (rank,) if rank else ()

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        seed = stable_seed(self.seed, "step", trainer.fit_loop.epoch_loop.total_batch_idx, *self.of_rank)
        # torch.manual_seed also remembers a stack trace for each kind of device that is not there: 0.2 ms
        torch.default_generator.manual_seed(seed)
        if pl_module.device.type == "cuda":
            torch.cuda.manual_seed(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)


class History(Checkpoint):
    """One row an epoch, for ``history.csv``, the journal and the log.

    A ``Checkpoint`` because Lightning runs those after the module has logged its epoch.
    """

    def __init__(self, journal: Journal | None, peers: Peers = ALONE):
        """Without ``journal``, in a process that is not the first of several, nothing is told."""
        self.journal, self.peers = journal, peers
        self.rows: list[dict[str, Any]] = []
        self.samples = 0
        self.trained = 0
        self.fit_started = self.epoch_started = self.said_at = time.monotonic()
        self.first_row = 0
        self.seconds_before = 0.0
        """Of the running epoch, in earlier attempts."""

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.fit_started = time.monotonic()
        self.first_row = len(self.rows)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.epoch_started = time.monotonic() - self.seconds_before

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.epoch_started = self.said_at = time.monotonic()
        self.samples = 0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.samples += self.peers.shards * len(next(iter(batch.values())))  # but for the last of an epoch
        step = trainer.global_step
        if self.journal and step and step % trainer.log_every_n_steps == 0 and self._stepped(trainer, batch_idx):
            rate = trainer.optimizers[0].param_groups[0]["lr"]
            self.journal.log_metrics({"train/loss_step": self._loss(trainer, outputs), "lr": rate}, step)
        if self.journal and time.monotonic() - self.said_at > LINE_SECONDS:
            self.said_at = time.monotonic()
            log.info(
                "epoch %d/%d  batch %d/%d  train/loss %.4g",
                trainer.current_epoch + 1,
                trainer.max_epochs,
                batch_idx + 1,
                trainer.num_training_batches,
                self._loss(trainer, outputs),
            )

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        metrics = {name: float(value) for name, value in sorted(trainer.callback_metrics.items()) if "/" in name}
        seconds = time.monotonic() - self.epoch_started  # after the metrics, which a GPU gives when it is done
        if (trainer.current_epoch + 1) % trainer.check_val_every_n_epoch:
            metrics = {name: value for name, value in metrics.items() if not name.startswith("val/")}
        row = {
            "epoch": trainer.current_epoch + 1,
            "step": trainer.global_step,
            "lr": trainer.optimizers[0].param_groups[0]["lr"],
            "seconds": round(seconds, 4),
            **metrics,
        }
        self.rows.append(row)
        self.trained += self.samples
        if self.journal:
            self.journal.log_metrics({**metrics, "epoch": row["epoch"]}, trainer.global_step)
            self._say(trainer, row, metrics, seconds)

    @property
    def samples_per_second(self) -> float:
        """Training samples a second over all epochs, their validations included."""
        return self.trained / max(sum(row["seconds"] for row in self.rows), 1e-9)

    def state_dict(self) -> dict[str, Any]:
        seconds = time.monotonic() - self.epoch_started
        return {"rows": self.rows, "trained": self.trained, "samples": self.samples, "seconds": seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows, self.trained = list(state_dict["rows"]), state_dict["trained"]
        self.samples, self.seconds_before = state_dict["samples"], state_dict["seconds"]

    def csv(self) -> str:
        """The rows as CSV; a cell is empty where a metric was not measured."""
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()

    @staticmethod
    def _loss(trainer: Trainer, outputs: Any) -> float:
        """Of the batch; Lightning tells what it adds to the mean over those of a step."""
        return float(outputs["loss"]) * trainer.accumulate_grad_batches

    @staticmethod
    def _stepped(trainer: Trainer, batch_idx: int) -> bool:
        """Whether this batch ended an optimizer step: with accumulation most do not, but the last of an epoch does."""
        done = batch_idx + 1
        return done % trainer.accumulate_grad_batches == 0 or done == trainer.num_training_batches

    def _say(self, trainer: Trainer, row: dict[str, Any], metrics: dict[str, float], seconds: float) -> None:
        width = len(str(trainer.max_epochs))
        seconds_an_epoch = (time.monotonic() - self.fit_started) / (len(self.rows) - self.first_row)
        left = seconds_an_epoch * (trainer.max_epochs - row["epoch"])
        values = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        log.info(
            "epoch %*d/%d  %s  lr %.2e  %s samples/s  about %s left",
            width,
            row["epoch"],
            trainer.max_epochs,
            values,
            row["lr"],
            f"{self.samples / max(seconds, 1e-9):,.0f}",
            f"{left:.0f} s" if left < 120 else f"{left / 60:.0f} min",
        )
