"""Rules between keys: sections that are right by themselves and do not fit together."""

from collections.abc import Callable, Iterator, Mapping

from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.optimizers import Cosine, Plateau
from snaketorch.config.problems import did_you_mean

Conflict = tuple[tuple[str, ...], str]
"""The key that should change, and why."""

Datasets = Mapping[str, DatasetConfig | None]
"""All datasets by name; None for one that has problems of its own."""


def conflicts(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """Everything in ``experiment`` that contradicts something else."""
    for rule in RULES:
        yield from rule(experiment, datasets)


def dataset_fits_task(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    name, task = experiment.data, experiment.task
    if name not in datasets:
        known = ", ".join(datasets) or "none yet"
        yield ("data",), f"there is no dataset '{name}'; allowed: {known}{did_you_mean(name, datasets)}"
    elif (dataset := datasets[name]) and dataset.source.provides != task.data:
        yield ("data",), f"task '{task.kind}' needs {task.data}, but '{name}' gives {dataset.source.provides}"


def network_fits_task(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    task, model = experiment.task, experiment.model
    if model.reads != task.network_reads:
        yield (
            ("model", "kind"),
            f"'{model.kind}' reads {model.reads}, but task '{task.kind}' gives it {task.network_reads}",
        )


def monitored_metrics_are_logged(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    schedule, stopping = experiment.lr_scheduler, experiment.early_stopping
    monitored = {
        ("checkpoint", "monitor"): experiment.checkpoint.monitor,
        ("early_stopping", "monitor"): stopping.monitor if stopping else None,
        ("lr_scheduler", "monitor"): schedule.monitor if isinstance(schedule, Plateau) else None,
    }
    logged = [f"val/{name}" for name in experiment.task.logged]
    for key, metric in monitored.items():
        if metric and metric not in logged:
            yield (
                key,
                f"task '{experiment.task.kind}' logs no '{metric}'; allowed: {', '.join(logged)}"
                f"{did_you_mean(metric, logged)}",
            )


def tested_metrics_exist(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    known = list(experiment.task.metrics)
    for index, metric in enumerate(experiment.evaluate.metrics or []):
        if metric not in known:
            yield (
                ("evaluate", "metrics", str(index)),
                f"task '{experiment.task.kind}' has no '{metric}'; allowed: {', '.join(known)}"
                f"{did_you_mean(metric, known)}",
            )


def epochs_suffice(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    epochs, stopping = experiment.trainer.max_epochs, experiment.early_stopping
    if stopping and stopping.patience >= epochs:
        yield (
            ("early_stopping", "patience"),
            f"{stopping.patience} never ends a training of {epochs} epochs; allowed: below trainer.max_epochs",
        )
    schedule = experiment.lr_scheduler
    if isinstance(schedule, Cosine) and schedule.warmup_epochs >= epochs:
        yield (
            ("lr_scheduler", "warmup_epochs"),
            f"{schedule.warmup_epochs} leaves nothing of {epochs} epochs; allowed: below trainer.max_epochs",
        )
    if experiment.trainer.check_val_every_n_epoch > epochs:
        yield (
            ("trainer", "check_val_every_n_epoch"),
            f"{experiment.trainer.check_val_every_n_epoch} means no validation in {epochs} epochs; "
            "allowed: at most trainer.max_epochs",
        )


def rates_fit(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    lowest = getattr(experiment.lr_scheduler, "min_lr", 0.0)
    if lowest >= experiment.optimizer.lr:
        yield (
            ("lr_scheduler", "min_lr"),
            f"{lowest:g} is not below optimizer.lr ({experiment.optimizer.lr:g}); allowed: a smaller rate",
        )


def clipping_is_on(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    trainer = experiment.trainer
    if "gradient_clip_algorithm" in trainer.model_fields_set and trainer.gradient_clip_val is None:
        yield (
            ("trainer", "gradient_clip_algorithm"),
            "has no effect without gradient_clip_val; allowed: with a bound, or not at all",
        )


def accelerator_is_asked_for(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    if experiment.trainer.accelerator == "cpu" and experiment.resources.gpus:
        yield ("resources", "gpus"), "a GPU is reserved for a training on the CPU; allowed: 0 with accelerator: cpu"
    if experiment.trainer.accelerator == "gpu" and not experiment.resources.gpus:
        yield ("resources", "gpus"), "trainer.accelerator is gpu, but no GPU is asked for; allowed: 1"


RULES: tuple[Callable[[ExperimentConfig, Datasets], Iterator[Conflict]], ...] = (
    dataset_fits_task,
    network_fits_task,
    monitored_metrics_are_logged,
    tested_metrics_exist,
    epochs_suffice,
    rates_fit,
    clipping_is_on,
    accelerator_is_asked_for,
)
