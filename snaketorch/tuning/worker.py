"""One trial in a process of Ray's: a training that tells its metric and may be told to stop."""

import csv
import io
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Self

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint
from ray import tune

from snaketorch.config.alike import train_spec
from snaketorch.config.specs import TuneSpec
from snaketorch.data.manifest import Manifest
from snaketorch.errors import Interrupted, OutOfTime
from snaketorch.failures.classify import classify
from snaketorch.hardware.allocator import keep_freed_memory
from snaketorch.hardware.precision import device_name
from snaketorch.launch.place import Place
from snaketorch.provenance import digest
from snaketorch.state.checkpoints import Identity
from snaketorch.state.lock import sole_writer
from snaketorch.training.callbacks import History
from snaketorch.training.checkpointing.resume_points import ResumePoints
from snaketorch.training.fit import fit
from snaketorch.training.session import Session
from snaketorch.training.subject import device_of
from snaketorch.training.train import CHOICES
from snaketorch.tuning.context import SweepContext
from snaketorch.tuning.donors import NewValues, take_over
from snaketorch.tuning.ledger import Known
from snaketorch.tuning.ray_nodes import NODE_NAME
from snaketorch.tuning.schedulers import METRIC, TIME, milestones, pauses
from snaketorch.tuning.told import StopFile
from snaketorch.tuning.trial import Point, finite

REPORT_SECONDS = 1.0
"""From one report to the next, at least, unless the scheduler waits for one: each goes through the sweep's process."""
OUT_OF_MEMORY = frozenset({"cuda_out_of_memory", "host_memory"})


def run_trial(config: dict[str, Any], context: SweepContext) -> None:
    """Trains one configuration, from its last checkpoint if there is one; for Ray Tune.

    Args:
        config: What ``LedgerSearcher.give`` says of the trial.
        context: The sweep.
    """
    os.chdir(context.root)  # paths of the configuration start there
    if context.log_of(config["number"]).exists() and Known(context.folder).trials[config["number"]].is_over:
        return  # its process was killed after it had told its end
    tells = Reports(
        config["curve"], frozenset(milestones(context.spec.tune.scheduler, context.spec.trainer.max_epochs))
    )
    folder = context.trial_folder(config["key"])
    folder.mkdir(parents=True, exist_ok=True)
    signals = StopFile(context.stop_file)
    with _log(context.log_of(config["number"])):
        try:
            tells.begin(_device(context.spec))
            if signals.ended_by:
                raise Interrupted("the sweep ends")
            _train(config, context, folder, signals, tells)
        except (Interrupted, OutOfTime):
            tells.end("interrupted")
        except Exception as error:
            failure = classify(error)
            logging.getLogger(__name__).exception("The trial failed: %s", failure.message)
            if failure.about.retried and failure.kind not in OUT_OF_MEMORY:
                raise  # Ray tries it again
            status = "out_of_memory" if failure.kind in OUT_OF_MEMORY else "failed"
            tells.end(status, failure.message)
        else:
            tells.end("finished")


def _train(config: Mapping[str, Any], context: SweepContext, folder: Path, signals: StopFile, tells: "Reports") -> None:
    keep_freed_memory()
    torch.set_num_threads(context.room.threads)
    torch.set_float32_matmul_precision("high")  # as in a training by itself
    spec, dataset = train_spec(context.spec, config["values"]), Manifest.load(context.manifest)
    session = Session(
        state=folder,
        choices=CHOICES,
        journal=None,
        code=context.code,
        checkpoint_every=context.checkpoint_every,
        signals=signals,
        deadline=context.deadline,
        also=(NewValues(spec), TellMetric(context.spec.tune.metric, tells, config["until"])),
        sharing=context.room.in_node,
    )
    with _Held(folder) as held:
        if pauses(context.spec.tune.scheduler):
            tells.waiting = held.let_go
        if donor_values := config["donor_values"]:
            training = Identity(digest(spec.model_dump(mode="json")), context.code, dataset.digest)
            take_over(folder, training, train_spec(context.spec, donor_values).optimizer.lr)
        fitted = fit(spec, dataset, context.uses, session)
    # an earlier attempt may have been killed when it had trained to the end, and before it had told of all
    for row in csv.DictReader(io.StringIO(fitted.history)):
        if value := row[context.spec.tune.metric]:
            tells.add(int(row["epoch"]), float(value))


class _Held:
    """A trial's folder, which nobody else may have meanwhile."""

    def __init__(self, folder: Path):
        self.folder, self.lock = folder, ExitStack()

    def __enter__(self) -> Self:
        self.lock.enter_context(sole_writer(self.folder))
        return self

    def __exit__(self, *_: object) -> None:
        self.lock.close()

    @contextmanager
    def let_go(self) -> Iterator[None]:
        """Others may have the folder in the block.

        A trial that is paused waits in its process until that gets another one, and goes on in any.
        """
        self.lock.close()
        yield
        self.lock.enter_context(sole_writer(self.folder))


class Reports:
    """What a trial tells the sweep: the points of its curve, a few together, and how it ends."""

    def __init__(self, known: list[Point], milestones: frozenset[int]):
        self.known, self.milestones = known, milestones
        self.epochs = {epoch for epoch, _ in known}
        self.new: list[Point] = []
        self.told_at = self.said_at = time.monotonic()
        self.last: dict[str, Any] = {}
        self.waiting: Callable[[], AbstractContextManager[None]] = nullcontext
        """Around the time in which the sweep decides."""

    def begin(self, device: str) -> None:
        """Says where the trial runs, and again what the scheduler saw of it in an earlier attempt."""
        for epoch, value in self.known:
            if epoch in self.milestones:
                self._tell(epoch, value)
        # Slurm's name of the node, where there is one: several nodes may be on one host
        self.where = {"node": os.environ.get(NODE_NAME) or socket.gethostname(), "device": device}
        epoch, value = self.known[-1] if self.known else (0, None)
        self._tell(epoch, value, **self.where)

    def add(self, epoch: int, value: float) -> None:
        """A validation is done; one that is known, or was told before, says nothing new."""
        if epoch in self.epochs:
            return
        self.epochs.add(epoch)
        self.new.append((epoch, finite(value)))
        if epoch in self.milestones or time.monotonic() - self.told_at >= REPORT_SECONDS:
            self._tell(*self.new[-1])

    def end(self, status: str, error: str | None = None) -> None:
        """The trial is over, or what there is to do now."""
        epoch, value = (self.new or self.known or [(0, None)])[-1]
        self._tell(epoch, value, status=status, error=error)

    def _tell(self, epoch: int, value: float | None, **more: Any) -> None:
        now = time.monotonic()
        points, self.new = self.new, []
        seconds, self.said_at = now - self.said_at, now
        self.told_at = now
        metric = float("nan") if value is None else value
        # returns when the sweep has decided; ends this thread where it decides against the trial
        with self.waiting():
            tune.report({TIME: epoch, METRIC: metric, "points": points, "seconds": seconds, **more})


class TellMetric(Checkpoint):
    """Reports the metric after each validation. A ``Checkpoint``, and the last: what it tells is saved by then."""

    def __init__(self, metric: str, reports: Reports, until: int | None):
        """``until``: an epoch after which the training is saved and ends, to go on in another process."""
        self.metric, self.reports, self.until = metric, reports, until

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # a kill may have come between a checkpoint and the report of what led to it
        history = next(callback for callback in trainer.callbacks if isinstance(callback, History))
        for row in history.rows:
            if self.metric in row:
                self.reports.add(row["epoch"], row[self.metric])
        if self.until and history.rows and history.rows[-1]["epoch"] >= self.until:
            raise Interrupted("the population is compared")

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        points = next(callback for callback in trainer.callbacks if isinstance(callback, ResumePoints))
        ends_here = epoch == self.until and not points.finished  # else it stopped early
        if ends_here:  # first: who is known to have come so far is one to go on from
            points.save_now(trainer)
        if epoch % trainer.check_val_every_n_epoch == 0:
            self.reports.add(epoch, float(trainer.callback_metrics[self.metric]))
        if ends_here:
            raise Interrupted("the population is compared")


def _device(spec: TuneSpec) -> str:
    return device_name(device_of(spec.trainer, Place()))


@contextmanager
def _log(path: Path) -> Iterator[None]:
    """What is logged in the block goes to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
    package = logging.getLogger("snaketorch")
    package.addHandler(handler)
    package.setLevel(logging.INFO)
    try:
        yield
    finally:
        package.removeHandler(handler)
        handler.close()
