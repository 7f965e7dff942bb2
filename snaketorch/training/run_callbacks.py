"""The callbacks of a training, all in one place."""

import sys
from functools import partial

from pytorch_lightning import Callback
from pytorch_lightning.callbacks import EarlyStopping, TQDMProgressBar

from snaketorch.config.optimizers import Plateau
from snaketorch.config.specs import TrainSpec
from snaketorch.tasks.base import TaskModule
from snaketorch.tasks.peers import Peers
from snaketorch.training.averaging import WeightAveraging
from snaketorch.training.callbacks import History, StepSeeds
from snaketorch.training.checkpointing.best_weights import BestWeights, Weights
from snaketorch.training.checkpointing.resume_points import ResumePoints
from snaketorch.training.checkpointing.store import CheckpointStore
from snaketorch.training.interruption import Interruption
from snaketorch.training.meetings import Meetings
from snaketorch.training.micro_batches import MicroBatches, largest_batches
from snaketorch.training.non_finite import NonFinite
from snaketorch.training.plateau import PlateauSteps
from snaketorch.training.progress import TellProgress
from snaketorch.training.session import Session
from snaketorch.training.strategies.same_buffers import SameBuffers
from snaketorch.training.subject import Subject
from snaketorch.training.usage.watch import UsageWatch


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
        peers = subject.task.peers
        self.weights = self._weights(subject.task)
        self.usage = UsageWatch(subject.device)
        self.history = History(session.journal, peers)
        self.best = self._best(spec, subject.task)
        self.resume_points = ResumePoints(store, session.checkpoint_every, Meetings(peers))
        self.non_finite = NonFinite(spec.trainer.on_non_finite_loss, self.averaging, peers)
        largest = largest_batches(subject.data, spec.data_loader.batch_size)
        self.all: list[Callback] = [
            StepSeeds(spec.seed, peers.shard),
            *([] if peers.is_alone else [SameBuffers(peers)]),
            *_compression(spec, peers),
            self.non_finite,
            *_clipping(spec, peers),
            *subject.freezing,
            *([self.averaging] if self.averaging else []),
            *_early_stopping(spec, subject.task),
            *([TQDMProgressBar(refresh_rate=10, leave=False)] if peers.is_first and sys.stderr.isatty() else []),
            micro_batches.watch(subject.task, subject.learnable, largest),
            self.usage,
            self.history,
            self.best,
            *_plateau_steps(spec, subject.task),
            *self._progress(session, peers),
            self.resume_points,
            Interruption(self.resume_points, session.signals, session.deadline),
            *session.also,
        ]

    def _weights(self, task: TaskModule) -> Weights:
        if self.averaging:
            return self.averaging.weights
        if task.peers.in_step:
            from snaketorch.training.strategies.parts import published_state  # brings in much of torch

            return partial(published_state, task.network, task.peers.is_first)
        return task.network.state_dict

    def _progress(self, session: Session, peers: Peers) -> list[Callback]:
        return [TellProgress(session.state, self.history, lambda: self.resume_points.seconds)] if peers.is_first else []

    def _best(self, spec: TrainSpec, task: TaskModule) -> BestWeights:
        monitor = spec.checkpoint.monitor
        return BestWeights(
            monitor,
            task.mode_of(monitor),
            self.weights,
            counts=lambda: self.averaging is None or self.averaging.has_begun,
            keeps_weights=spec.checkpoint.save == "best",
            writes=task.peers.is_first,
        )


def _compression(spec: TrainSpec, peers: Peers) -> list[Callback]:
    kind = spec.trainer.gradient_compression
    if peers.is_alone or kind == "none":
        return []
    from snaketorch.training.strategies.gradient_compression import GradientCompression  # brings in much of torch

    return [GradientCompression(kind, peers)]


def _clipping(spec: TrainSpec, peers: Peers) -> list[Callback]:
    """Where each process has a part of the gradients; elsewhere Lightning does it, or DeepSpeed."""
    if not peers.in_step or spec.trainer.gradient_clip_val is None or spec.trainer.strategy == "deepspeed":
        return []
    from snaketorch.training.strategies.clipping import ClipParts  # brings in much of torch

    return [ClipParts(spec.trainer.gradient_clip_val, spec.trainer.gradient_clip_algorithm)]


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
