"""What each step is told: exactly its part of the resolved configuration.

A spec is the whole of what a step depends on besides its input files and its code. It travels as
canonical JSON on the command line, and an edit that leaves a spec as it was reruns nothing.
"""

from snaketorch.config.augment import Augment
from snaketorch.config.averaging import WeightAveraging
from snaketorch.config.base import Name, Positive, Section, Seed
from snaketorch.config.datasets import Prepare, Split
from snaketorch.config.experiment import Evaluate, ExperimentConfig
from snaketorch.config.models import Model
from snaketorch.config.optimizers import LrScheduler, Optimizer
from snaketorch.config.sources import Source
from snaketorch.config.tasks import Task
from snaketorch.config.trainer import DataLoader, EarlyStopping, KeptWeights, Trainer
from snaketorch.config.transfer import Transfer


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


class SummariseSpec(Section):
    """One experiment over its seeds, with its whole configuration for the record."""

    study: Name
    experiment: Name
    config: ExperimentConfig


class ReportSpec(Section):
    """The study page."""

    study: Name
    title: str
    experiments: list[Name]
