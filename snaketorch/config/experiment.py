"""An experiment file: one task, one dataset, one network, some seeds."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator

from snaketorch.config.augment import Augment
from snaketorch.config.averaging import WeightAveraging
from snaketorch.config.base import Name, Positive, Section, Seed, Text
from snaketorch.config.models import Model
from snaketorch.config.optimizers import LrScheduler, NoSchedule, Optimizer
from snaketorch.config.resources import Resources
from snaketorch.config.tasks import Task
from snaketorch.config.trainer import Checkpoint, DataLoader, EarlyStopping, Trainer
from snaketorch.config.transfer import Transfer


def written_out(data: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of an experiment with `task: NAME` as the section that it is short for."""
    task = data.get("task")
    return {**data, "task": {"kind": task}} if isinstance(task, str) else dict(data)


class Evaluate(Section):
    """What the test measures and shows."""

    metrics: Annotated[list[str], Field(min_length=1)] | None = None
    """Metrics of the test; all that the task offers when absent."""
    batch_size: Positive = 256
    """Samples in each step of the test."""
    examples: Annotated[int, Field(ge=1, le=100)] = 12
    """Worst and best predictions to show, of each."""


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
    resources: Resources = Resources()
    """What one training job needs."""

    @field_validator("task", mode="before")
    @classmethod
    def _task_may_be_a_name(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value

    @field_validator("seeds")
    @classmethod
    def _every_seed_once(cls, seeds: list[int]) -> list[int]:
        twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
        if twice:
            raise ValueError(f"{', '.join(map(str, twice))} more than once; allowed: each seed once")
        return seeds

    def resolved(self) -> "ExperimentConfig":
        """The same experiment with every default that depends on another key written out."""
        checkpoint, evaluate = self.checkpoint, self.evaluate
        update = {
            "checkpoint": checkpoint.model_copy(update={"monitor": checkpoint.monitor or f"val/{self.task.goal}"}),
            "evaluate": evaluate.model_copy(update={"metrics": evaluate.metrics or list(self.task.metrics)}),
        }
        return self.model_copy(update=update)
