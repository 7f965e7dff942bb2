"""Metrics that an experiment names."""

from collections.abc import Iterator

from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.optimizers import Plateau
from snaketorch.config.problems import Conflict, did_you_mean, listed
from snaketorch.config.rules import Datasets


def checkpoint_metric_is_logged(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """The metric that picks the weights is one of the task."""
    yield from _not_logged(experiment, "checkpoint", experiment.checkpoint.monitor)


def stopping_metric_is_logged(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """The metric that ends a training is one of the task."""
    if stopping := experiment.early_stopping:
        yield from _not_logged(experiment, "early_stopping", stopping.monitor)


def schedule_metric_is_logged(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """The metric that lowers the learning rate is one of the task."""
    if isinstance(schedule := experiment.lr_scheduler, Plateau):
        yield from _not_logged(experiment, "lr_scheduler", schedule.monitor)


def tested_metrics_exist(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """The metrics of the test are those of the task."""
    known = list(experiment.task.metrics)
    for index, metric in enumerate(experiment.evaluate.metrics or []):
        if metric not in known:
            yield ("evaluate", "metrics", index), _unknown_metric(experiment, metric, "measures", known)


def _not_logged(experiment: ExperimentConfig, section: str, metric: str | None) -> Iterator[Conflict]:
    logged = [f"val/{name}" for name in experiment.task.logged]
    if metric is not None and metric not in logged:
        yield (section, "monitor"), _unknown_metric(experiment, metric, "logs", logged)


def _unknown_metric(experiment: ExperimentConfig, metric: str, verb: str, known: list[str]) -> str:
    return f"task '{experiment.task.kind}' {verb} no '{metric}'; allowed: {listed(known)}{did_you_mean(metric, known)}"
