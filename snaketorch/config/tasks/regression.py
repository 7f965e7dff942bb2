"""One number for each sample."""

from typing import ClassVar, Literal

from snaketorch.config import contents
from snaketorch.config.models import base as models
from snaketorch.config.tasks.base import TaskSection


class Regression(TaskSection):
    """One number for each row of a table, image or sequence.

    Beside the model stand the mean and the median of the training split, and for tables a ridge regression (linear).
    """

    data: ClassVar[dict[str, str]] = {
        contents.NUMBER_ROWS: models.ROW,
        contents.NUMBER_IMAGES: models.IMAGE,
        contents.NUMBER_SEQUENCES: models.SEQUENCE,
    }
    implementation: ClassVar[str] = "snaketorch.tasks.regression:Regression"
    evaluator: ClassVar[str] = "snaketorch.evaluation.regression:evaluate"
    goal: ClassVar[str] = "mae"
    logged: ClassVar[dict[str, str]] = {"loss": "min", "mae": "min"}
    metrics: ClassVar[dict[str, str]] = {"mae": "min", "rmse": "min", "r2": "max"}

    kind: Literal["regression"]
    loss: Literal["mse", "mae", "huber"] = "mse"
    """What training minimises, on numbers normalised by the training split."""
