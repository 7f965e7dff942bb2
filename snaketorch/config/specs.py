"""What each step is told: exactly its part of the resolved configuration.

A spec is the whole of what a step depends on besides its input files and its code. It travels as
canonical JSON on the command line, and an edit that leaves a spec as it was reruns nothing.
"""

from pydantic import Field

from snaketorch.config.augment import Augment
from snaketorch.config.averaging import WeightAveraging
from snaketorch.config.base import Name, NotNegative, Positive, Section, Seed
from snaketorch.config.datasets import Prepare, Split
from snaketorch.config.experiment import Evaluate, ExperimentConfig
from snaketorch.config.gpu import Gpu
from snaketorch.config.models import Model
from snaketorch.config.monitor import Thresholds, VariableName
from snaketorch.config.optimizers import LrScheduler, Optimizer
from snaketorch.config.predict import Predictions, Share
from snaketorch.config.register import Gate, ModelName
from snaketorch.config.sources import Source
from snaketorch.config.tasks import Task
from snaketorch.config.trainer import DataLoader, EarlyStopping, KeptWeights, Trainer
from snaketorch.config.transfer import Transfer
from snaketorch.config.tune import Sweep


class PrepareSpec(Section):
    """One dataset."""

    dataset: Name
    source: Source
    split: Split
    prepare: Prepare


class TrainSpec(Section):
    """One training: an experiment with one of its seeds."""

    experiment: Name
    seed: Seed
    data: Name
    task: Task
    augment: Augment | None
    model: Model
    transfer: Transfer | None
    optimizer: Optimizer
    lr_scheduler: LrScheduler
    trainer: Trainer
    early_stopping: EarlyStopping | None
    weight_averaging: WeightAveraging | None
    checkpoint: KeptWeights
    """Not how often state is saved, on which nothing depends."""
    data_loader: DataLoader

    @property
    def step_size(self) -> int:
        """Samples of an optimizer step, of all processes together; the last of an epoch may have others."""
        apart = self.trainer.processes // self.trainer.processes_of_a_layer
        return self.data_loader.batch_size * apart * self.trainer.accumulate_grad_batches


class TuneSpec(TrainSpec):
    """One sweep: the training that it tunes, of the sweep's own seed, and how."""

    tune: Sweep
    """Not what it may take of the machine, on which nothing depends."""


class Site(Section):
    """Where a training may run, as far as its plan depends on it."""

    gpus_asked: NotNegative
    """GPUs in each node."""
    cpus: Positive
    gpu_model: str | None
    """`auto` where the plan chooses; any when None."""
    partition: str | None
    trainings: Positive
    """One for each seed."""
    strict: bool
    """Whether a training that may not fit is refused."""
    gpus: list[Gpu]
    """Those that are compared."""


class PlanSpec(TrainSpec):
    """What a training needs, and where it should run; of the first seed."""

    site: Site


class Windows(Section):
    """How a task cuts a series into training samples."""

    window: Positive
    horizon: Positive
    stride: Positive


class AugmentationSpec(Section):
    """The picture of what an experiment's `augment` does to its training samples."""

    experiment: Name
    seed: Seed
    data: Name
    augment: Augment
    windows: Windows | None


class EvaluateSpec(Section):
    """The test of one trained model; the model itself says its network, and what it learnt."""

    experiment: Name
    seed: Seed
    data: Name
    task: Task
    """Only its ``test_keys`` are heard; the rest is the model's own."""
    evaluate: Evaluate


class BundleSpec(Section):
    """What of an experiment leaves the study: the model of one of its seeds, with all that it needs."""

    experiment: Name
    data: Name
    seed: Seed | None
    """The one whose validation went best when None."""


class PredictSpec(Section):
    """The predictions of one whole dataset, which is read from its source as it is."""

    experiment: Name
    dataset: Name
    source: Source
    predict: Predictions
    is_watched: bool
    """Whether monitoring says what is bad, so that no bad row ends anything before it."""


class SummariseSpec(Section):
    """One experiment over its seeds, with its configuration for the record, as far as a result depends on it."""

    study: Name
    experiment: Name
    config: ExperimentConfig


class MonitorSpec(Section):
    """One dataset beside the training data of an experiment's model."""

    experiment: Name
    dataset: Name
    source: Source
    max_bad_share: Share
    """Of rows that cannot be read; more is an alarm."""
    thresholds: Thresholds
    false_alarm_rate: float
    webhook_env: VariableName | None


class RegisterSpec(Section):
    """The way of one experiment into the model registry; the bundle says which of its models."""

    study: Name
    experiment: Name
    name: ModelName
    gate: Gate
    auto_promote: bool


class SettleSpec(Section):
    """Whether the registered model of one experiment stays the champion."""

    experiment: Name


class ReportSpec(Section):
    """The study page."""

    study: Name
    title: str
    experiments: list[Name]
    siblings: dict[Name, Name] = Field({})
    """For each experiment with a sweep the same without it."""
    matrices: dict[Name, list[Name]] = Field({})
    """The experiments that were made of one matrix, by the name of its file."""
    registered: list[Name] = Field([])
    """The experiments that are brought to the model registry."""
    planned: list[Name] = Field([])
    """The experiments whose resources are planned."""
    compared: dict[Name, str] = Field({})
    """Digests of plans that lie beside the results of other experiments; what was measured is compared with them."""
