"""The datasets that an experiment's model predicts."""

from collections.abc import Iterator

from snaketorch.config.contents import CORPUS, NUMBER_ROWS, ROWS, SERIES, TEXTS
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.problems import Conflict
from snaketorch.config.rules import Datasets
from snaketorch.config.rules.used_data import is_alike, there_is

OF_COLUMNS = (ROWS, NUMBER_ROWS, TEXTS, CORPUS, SERIES)
"""What can come from files of rows, which have columns to keep."""


def predicted_data_exists(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """There are datasets of those names."""
    if experiment.predict is not None:
        yield from there_is("predict", experiment.predict.data, datasets)


def predicted_data_is_alike(experiment: ExperimentConfig, datasets: Datasets) -> Iterator[Conflict]:
    """What is predicted is of the kind that was trained on, and has columns where some are carried along."""
    if experiment.predict is None:
        return
    yield from is_alike("predict", experiment.predict.data, experiment, datasets)
    gives = datasets.get(experiment.data)
    if experiment.predict.keep and gives not in (None, *OF_COLUMNS) and experiment.task.kind != "gan":
        yield ("predict", "keep"), f"has no meaning for {gives}, which have no columns; allowed: to leave it out"


def something_is_predicted_from(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """The task tells something of data."""
    if experiment.predict is not None and experiment.task.kind == "gan":
        yield (
            ("predict",),
            "a gan makes images from nothing, so no dataset can be given to it; allowed: to leave it out, and "
            "`python -m snaketorch predict --count N --seed S`",
        )


def bad_rows_may_be(experiment: ExperimentConfig, *_: object) -> Iterator[Conflict]:
    """A share of bad rows is only asked for where one is not the end."""
    predict = experiment.predict
    if predict is not None and predict.on_bad_row == "fail" and "max_bad_share" in predict.model_fields_set:
        yield (
            ("predict", "max_bad_share"),
            "has no effect with on_bad_row: fail; allowed: with on_bad_row: report, or not at all",
        )
