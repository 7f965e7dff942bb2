"""A model's answers as columns, one module a kind; registered by the task."""

from snaketorch.inference.outputs.base import Output
from snaketorch.inference.outputs.classification import Classes, Labels
from snaketorch.inference.outputs.language import Language
from snaketorch.inference.outputs.numbers import Forecast, Number
from snaketorch.inference.outputs.pictures import Pictures
from snaketorch.tasks.base import TaskModule

OF_TASKS: dict[str, type[Output]] = {
    "snaketorch.tasks.classification:Classification": Classes,
    "snaketorch.tasks.multi_label:MultiLabelClassification": Labels,
    "snaketorch.tasks.regression:Regression": Number,
    "snaketorch.tasks.forecasting:Forecasting": Forecast,
    "snaketorch.tasks.language_modelling:LanguageModelling": Language,
    "snaketorch.tasks.gan:Gan": Pictures,
}
"""By the ``implementation`` of a task's section."""


def output_of(task: TaskModule) -> Output:
    """What tells the answers of ``task``."""
    return OF_TASKS[task.options.implementation](task)
