"""How an experiment trains, and for how long."""

from collections.abc import Iterator

from snaketorch.config.averaging import Swa
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.optimizers import Cosine, OneCycle, Sgd
from snaketorch.config.problems import Conflict
from snaketorch.config.rules import Datasets
from snaketorch.config.transfer import GradualUnfreezing

MOMENTA = {"momentum", "betas"}


def stopping_can_happen(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """There are more validations than the patience lasts."""
    trainer, stopping = experiment.trainer, experiment.early_stopping
    validations = trainer.max_epochs // trainer.check_val_every_n_epoch
    if stopping and validations and stopping.patience >= validations:
        fitting = (
            f"below {validations} (trainer.max_epochs over check_val_every_n_epoch)"
            if validations > 1
            else "without early_stopping, or more trainer.max_epochs"
        )
        yield (
            ("early_stopping", "patience"),
            f"{stopping.patience} never ends a training of {_count(validations, 'validation')}; allowed: {fitting}",
        )


def warm_up_ends(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """The warm-up leaves epochs to train."""
    epochs, schedule = experiment.trainer.max_epochs, experiment.lr_scheduler
    if isinstance(schedule, Cosine) and schedule.warmup_epochs >= epochs:
        yield (
            ("lr_scheduler", "warmup_epochs"),
            f"{schedule.warmup_epochs} leaves nothing of {_count(epochs, 'epoch')}; allowed: below trainer.max_epochs",
        )


def validation_happens(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """There is a validation."""
    epochs, every = experiment.trainer.max_epochs, experiment.trainer.check_val_every_n_epoch
    if every > epochs:
        yield (
            ("trainer", "check_val_every_n_epoch"),
            f"{every} means no validation in {_count(epochs, 'epoch')}; allowed: at most trainer.max_epochs",
        )


def rates_fit(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """The lowest learning rate is below the highest."""
    lowest = getattr(experiment.lr_scheduler, "min_lr", 0.0)
    if lowest >= experiment.optimizer.lr:
        yield (
            ("lr_scheduler", "min_lr"),
            f"{lowest:g} is not below optimizer.lr ({experiment.optimizer.lr:g}); allowed: a smaller rate",
        )


def nesterov_has_momentum(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """To look ahead along a momentum there must be one."""
    optimizer = experiment.optimizer
    if isinstance(optimizer, Sgd) and optimizer.nesterov and not optimizer.momentum:
        yield ("optimizer", "nesterov"), "true looks ahead along a momentum of 0; allowed: with a momentum, or false"


def clipping_is_on(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """How to clip is said where there is a bound."""
    trainer = experiment.trainer
    if "gradient_clip_algorithm" in trainer.model_fields_set and trainer.gradient_clip_val is None:
        yield (
            ("trainer", "gradient_clip_algorithm"),
            "has no effect without gradient_clip_val; allowed: with a bound, or not at all",
        )


def unfreezing_begins(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """More than the head learns before the training ends."""
    transfer, epochs = experiment.transfer, experiment.trainer.max_epochs
    if isinstance(transfer, GradualUnfreezing) and transfer.epochs_per_block >= epochs:
        yield (
            ("transfer", "epochs_per_block"),
            f"{transfer.epochs_per_block} means that only the head learns in {_count(epochs, 'epoch')}; "
            "allowed: below trainer.max_epochs, or kind: feature_extraction",
        )


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


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}"
