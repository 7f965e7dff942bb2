"""Rules between the sections that say how to train."""

from collections.abc import Iterator

from snaketorch.config.averaging import Swa
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.optimizers import OneCycle
from snaketorch.config.problems import KeyPath

Conflict = tuple[KeyPath, str]

MOMENTA = {"momentum", "betas"}


def momentum_is_used(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """A momentum that is written down is not to be overridden without a word."""
    schedule, optimizer = experiment.lr_scheduler, experiment.optimizer
    for key in sorted(MOMENTA & optimizer.model_fields_set):
        if isinstance(schedule, OneCycle) and schedule.cycle_momentum:
            yield (
                ("optimizer", key),
                "is moved by lr_scheduler one_cycle; allowed: with lr_scheduler.cycle_momentum: false, or not at all",
            )


def activations_are_kept_or_not(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """The compiler of torch has no way to recompute a block without counting its batch twice."""
    if experiment.trainer.compile and experiment.trainer.gradient_checkpointing:
        yield ("trainer", "gradient_checkpointing"), "cannot be compiled; allowed: false, or without trainer.compile"


def average_is_taken(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """The mean over the last epochs needs them."""
    if isinstance(experiment.weight_averaging, Swa) and experiment.early_stopping is not None:
        yield (
            ("early_stopping",),
            "may end the training before the last epochs, which weight_averaging swa averages; allowed: one of both",
        )
