"""The datasets that are compared with an experiment's training data."""

from collections.abc import Iterator

from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.problems import Conflict
from snaketorch.config.rules import Datasets
from snaketorch.config.rules.used_data import is_alike, there_is


def monitored_data_exists(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """There are datasets of those names."""
    if experiment.monitor is not None:
        yield from there_is("monitor", experiment.monitor.data, datasets)


def monitored_data_is_alike(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """What is compared is of the kind that was trained on."""
    if experiment.monitor is not None:
        yield from is_alike("monitor", experiment.monitor.data, experiment, datasets)


def something_is_monitored(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """The task tells something of data."""
    if experiment.monitor is not None and experiment.task.kind == "gan":
        yield ("monitor",), "a gan is given no data that could change; allowed: to leave it out"
