"""The callbacks of a training, all in one place."""

import sys

from pytorch_lightning import Callback
from pytorch_lightning.callbacks import EarlyStopping, TQDMProgressBar

from snaketorch.config.optimizers import Plateau
from snaketorch.config.specs import TrainSpec
from snaketorch.tasks.base import TaskModule
from snaketorch.training.averaging import WeightAveraging
from snaketorch.training.callbacks import History, StepSeeds
from snaketorch.training.checkpointing.best_weights import BestWeights, Weights
from snaketorch.training.checkpointing.resume_points import ResumePoints
from snaketorch.training.checkpointing.store import CheckpointStore
from snaketorch.training.interruption import Interruption
from snaketorch.training.micro_batches import MicroBatches, largest_batches
from snaketorch.training.non_finite import NonFinite
from snaketorch.training.plateau import PlateauSteps
from snaketorch.training.progress import TellProgress
from snaketorch.training.session import Session
from snaketorch.training.subject import Subject


class RunCallbacks:
    """The callbacks that a spec asks for, and by name those that are asked something afterwards.

    Attributes:
        all: In the order in which Lightning calls them: it moves those that are a ``Checkpoint`` to the end, where
            ``ResumePoints`` finds the state of all that come before it up to date.
        weights: Gives the network's weights as they would be published.
    """

    def __init__(
        self,
        spec: TrainSpec,
        subject: Subject,
        session: Session,
        store: CheckpointStore,
        micro_batches: MicroBatches,
    ):
        self.averaging = _averaging(spec, subject.task)
        self.weights: Weights = self.averaging.weights if self.averaging else subject.task.network.state_dict
        self.history = History(session.journal)
        self.best = self._best(spec, subject.task)
        self.resume_points = ResumePoints(store, session.checkpoint_every)
        self.non_finite = NonFinite(spec.trainer.on_non_finite_loss, self.averaging)
        largest = largest_batches(subject.data, spec.data_loader.batch_size)
        self.all: list[Callback] = [
            StepSeeds(spec.seed),
            self.non_finite,
            *subject.freezing,
            *([self.averaging] if self.averaging else []),
            *_early_stopping(spec, subject.task),
            *([TQDMProgressBar(refresh_rate=10, leave=False)] if sys.stderr.isatty() else []),
            micro_batches.watch(subject.task, subject.learnable, largest),
            self.history,
            self.best,
            *_plateau_steps(spec, subject.task),
            TellProgress(session.state, self.history, lambda: self.resume_points.seconds),
            self.resume_points,
            Interruption(self.resume_points, session.signals, session.deadline),
        ]

    def _best(self, spec: TrainSpec, task: TaskModule) -> BestWeights:
        monitor = spec.checkpoint.monitor
        return BestWeights(
            monitor,
            task.mode_of(monitor),
            self.weights,
            counts=lambda: self.averaging is None or self.averaging.has_begun,
            keeps_weights=spec.checkpoint.save == "best",
        )


def _averaging(spec: TrainSpec, task: TaskModule) -> WeightAveraging | None:
    if spec.weight_averaging is None:
        return None
    return WeightAveraging(spec.weight_averaging, task.network, spec.trainer.max_epochs, task.averaged_part)


def _early_stopping(spec: TrainSpec, task: TaskModule) -> list[Callback]:
    if spec.early_stopping is None:
        return []
    options = spec.early_stopping.model_dump()
    return [EarlyStopping(**options, mode=task.mode_of(options["monitor"]), check_finite=False)]


def _plateau_steps(spec: TrainSpec, task: TaskModule) -> list[Callback]:
    # a task that steps by itself tells its schedules before the checkpoint
    waits = isinstance(spec.lr_scheduler, Plateau) and task.automatic_optimization
    return [PlateauSteps(spec.lr_scheduler.monitor)] if waits else []
