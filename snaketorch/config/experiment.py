"""An experiment file: one task, one dataset, one network, some seeds."""

import warnings
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator

from snaketorch.config.augment import Augment
from snaketorch.config.averaging import WeightAveraging
from snaketorch.config.base import Name, Positive, Section, Seed, Text
from snaketorch.config.document import UNREAD
from snaketorch.config.explain import shown
from snaketorch.config.models import Model
from snaketorch.config.monitor import Monitor
from snaketorch.config.optimizers import LrScheduler, NoSchedule, Optimizer
from snaketorch.config.predict import Predict
from snaketorch.config.register import Register
from snaketorch.config.resources import ALL_AUTO, AUTO, TrainResources
from snaketorch.config.tasks import Task
from snaketorch.config.trainer import Checkpoint, DataLoader, EarlyStopping, Trainer
from snaketorch.config.transfer import Transfer
from snaketorch.config.tune import Tune


def written_out(data: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of an experiment with `task: NAME` and `resources: auto` as the sections that they are short for."""
    task, written = data.get("task"), dict(data)
    if isinstance(task, str):
        written["task"] = {"kind": task}
    if data.get("resources") == AUTO:
        written["resources"] = dict(ALL_AUTO)
    return written


class Evaluate(Section):
    """What the test measures and shows."""

    metrics: Annotated[list[str], Field(min_length=1)] | None = None
    """Metrics of the test; all that the task offers when absent."""
    batch_size: Positive = 256
    """Samples in each step of the test."""
    examples: Annotated[int, Field(ge=1, le=100)] = 12
    """Worst and best predictions to show, of each."""


Matrix = Annotated[dict[str, Annotated[list[Any], Field(min_length=1)]], Field(min_length=1)]


AFTER_THE_SUMMARY = ("register", "predict", "monitor")
"""Sections of what is done with the models of an experiment when all is measured."""

# every abstract class of Python has a method of that name, which no section uses
warnings.filterwarnings("ignore", 'Field name "register" in "ExperimentConfig" shadows an attribute')


class ExperimentConfig(Section):
    """One file under `config/experiments/`."""

    description: Text | None = None
    """A line for the report."""
    extends: Name | None = None
    """Another experiment to start from: its keys hold where this file does not set them."""
    abstract: bool = False
    """Only there to be extended: never run by itself."""
    task: Task
    """What is learnt; a name, or a section with `kind`."""
    data: Name
    """A dataset, by the name of its file."""
    augment: Augment | None = None
    """Random changes of the training samples, on the device, another draw for each sample in each epoch."""
    model: Model
    """The network."""
    transfer: Transfer | None = None
    """How a network that starts from trained weights goes on learning; all of it at one rate when absent."""
    optimizer: Optimizer
    """How weights follow gradients."""
    lr_scheduler: LrScheduler = NoSchedule(kind="none")
    """How the learning rate changes."""
    trainer: Trainer
    """How long and how precisely to train."""
    early_stopping: EarlyStopping | None = None
    """End early when nothing improves; never when absent."""
    weight_averaging: WeightAveraging | None = None
    """Publish an average of the weights; those of one moment when absent."""
    checkpoint: Checkpoint = Checkpoint()
    """Which weights are kept, and how often state is saved."""
    data_loader: DataLoader = DataLoader()
    """How samples become batches."""
    seeds: list[Seed] = Field([0], min_length=1)
    """One training each; results are their mean and interval."""
    evaluate: Evaluate = Evaluate()
    """What the test measures."""
    resources: TrainResources = TrainResources()
    """What one training job needs; `auto` for what its plan says."""
    tune: Tune | None = None
    """A sweep before the training, whose best values are then trained; none when absent."""
    register: Register | None = None
    """Into the model registry, behind a gate; not when absent."""
    predict: Predict | None = None
    """Datasets whose predictions are made when the training is done; none when absent."""
    monitor: Monitor | None = None
    """Datasets that are predicted too and compared with the training data, with an alert; none when absent."""
    matrix: Matrix | None = None
    """Keys, such as `optimizer.lr`, each with a list of values: one experiment for each combination."""

    @field_validator("task", mode="before")
    @classmethod
    def _task_may_be_a_name(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value

    @field_validator("resources", mode="before")
    @classmethod
    def _resources_may_be_planned(cls, value: Any) -> Any:
        if value == AUTO:
            return dict(ALL_AUTO)
        if isinstance(value, Mapping | TrainResources) or value is UNREAD:
            return value
        known = ", ".join(TrainResources.model_fields)
        raise ValueError(f"{shown(value)} is not possible; allowed: {AUTO}, or a mapping with the keys {known}")

    @field_validator("seeds")
    @classmethod
    def _every_seed_once(cls, seeds: list[int]) -> list[int]:
        twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
        if twice:
            raise ValueError(f"{', '.join(map(str, twice))} more than once; allowed: each seed once")
        return seeds

    @property
    def until_summary(self) -> "ExperimentConfig":
        """The same without what is done with its models when all is measured: no result depends on that."""
        return self.model_copy(update=dict.fromkeys(AFTER_THE_SUMMARY))

    @property
    def goal(self) -> str:
        """The metric that ranks tests: the task's, or the first that is measured where that one is not."""
        measured = self.evaluate.metrics or [self.task.goal]
        return self.task.goal if self.task.goal in measured else measured[0]

    def resolved(self) -> "ExperimentConfig":
        """The same experiment with every default that depends on another key written out."""
        checkpoint, evaluate, resources = self.checkpoint, self.evaluate, self.resources
        gpus = self.trainer.devices if self.trainer.accelerator == "gpu" else 0
        resources = resources.model_copy(update={"gpus": gpus if resources.gpus is None else resources.gpus})
        update: dict[str, Any] = {
            "checkpoint": checkpoint.model_copy(update={"monitor": checkpoint.monitor or f"val/{self.task.goal}"}),
            "evaluate": evaluate.model_copy(update={"metrics": evaluate.metrics or list(self.task.metrics)}),
            "resources": resources,
        }
        if self.register:
            update["register"] = self.register.resolved(self.goal)
        if self.monitor:
            update["predict"] = self.monitor.predicted(self.predict)
        if self.tune:
            task, epochs = self.task, self.trainer.max_epochs
            update["tune"] = self.tune.resolved(task.goal, task.logged, self.seeds, epochs, resources)
        return self.model_copy(update=update)
