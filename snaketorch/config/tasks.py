"""The tasks an experiment can name: what is learnt, from which data, and what is measured.

To add one: a section here that names its implementation, and one line in ``Task``.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from snaketorch.config import contents, models
from snaketorch.config.base import Positive, Section


class _Classification(Section):
    data: ClassVar[tuple[str, ...]] = (contents.IMAGES,)
    """What it can learn from."""
    implementation: ClassVar[str] = "snaketorch.tasks.classification:Classification"
    evaluator: ClassVar[str] = "snaketorch.evaluation.classification:evaluate"
    goal: ClassVar[str] = "accuracy"
    """The metric that ranks experiments and picks the weights."""
    logged: ClassVar[dict[str, str]] = {"loss": "min", "accuracy": "max"}
    """Metrics of every epoch, on `train/` and `val/`, and which way is better."""
    metrics: ClassVar[dict[str, str]] = {
        "accuracy": "max",
        "f1_macro": "max",
        "auroc": "max",
        "calibration_error": "min",
        "loss": "min",
    }
    """Metrics of the test, and which way is better."""

    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the target given to all classes alike."""


class ImageClassification(_Classification):
    """One class for each image."""

    network_reads: ClassVar[str] = models.IMAGE
    kind: Literal["image_classification"]


class SequenceClassification(_Classification):
    """One class for each sequence; an image is read as a sequence."""

    data: ClassVar[tuple[str, ...]] = (contents.IMAGES, contents.SEQUENCES)
    network_reads: ClassVar[str] = models.SEQUENCE
    kind: Literal["sequence_classification"]
    read: Literal["rows", "columns"] = "rows"
    """What one step of the sequence is when the samples are images."""


class Forecasting(Section):
    """The next values of a series from the values before them."""

    data: ClassVar[tuple[str, ...]] = (contents.SERIES,)
    network_reads: ClassVar[str] = models.SEQUENCE
    implementation: ClassVar[str] = "snaketorch.tasks.forecasting:Forecasting"
    evaluator: ClassVar[str] = "snaketorch.evaluation.forecasting:evaluate"
    goal: ClassVar[str] = "mae"
    logged: ClassVar[dict[str, str]] = {"loss": "min", "mae": "min"}
    metrics: ClassVar[dict[str, str]] = {"mae": "min", "rmse": "min", "mase": "min"}

    kind: Literal["forecasting"]
    window: Positive
    """Steps that the network sees."""
    horizon: Positive = 1
    """Steps ahead that it forecasts at once."""
    stride: Positive = 1
    """Steps from one training window to the next; validation and test use every window."""
    season: Positive | None = None
    """Steps in one season, for the seasonal naive forecast; no such baseline when absent."""
    loss: Literal["mse", "mae", "huber"] = "mse"
    """What training minimises, on normalised values."""


Task = Annotated[ImageClassification | SequenceClassification | Forecasting, Field(discriminator="kind")]
