"""Images like those of a dataset, made from noise."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from snaketorch.config import contents
from snaketorch.config.base import Positive, Probability
from snaketorch.config.models import base as models
from snaketorch.config.tasks.base import TaskSection


class Gan(TaskSection):
    """A generator learns to make images that a discriminator takes for real ones; both learn in turn.

    An average of the generator's weights often makes the better images: `weight_averaging`.
    """

    data: ClassVar[dict[str, str]] = {contents.IMAGES: models.NOISE}
    implementation: ClassVar[str] = "snaketorch.tasks.gan:Gan"
    evaluator: ClassVar[str] = "snaketorch.evaluation.gan:evaluate"
    upstream_tasks: ClassVar[dict[str, tuple[str, ...]]] = {"features": ("image_classification",)}
    goal: ClassVar[str] = "frechet"
    logged: ClassVar[dict[str, str]] = {
        "generator_loss": "min",
        "discriminator_loss": "min",
        "real_score": "max",
        "fake_score": "max",
        "frechet": "min",
        "precision": "max",
        "recall": "max",
        "spread": "max",
    }
    metrics: ClassVar[dict[str, str]] = {
        "frechet": "min",
        "precision": "max",
        "recall": "max",
        "coverage": "max",
    }

    kind: Literal["gan"]
    loss: Literal["non_saturating", "least_squares", "hinge", "wasserstein_gp"] = "non_saturating"
    """What the two play for: cross-entropy (arXiv 1406.2661), squares (1611.04076), a hinge (1705.02894), or the
    Wasserstein distance with a gradient penalty (1704.00028)."""
    gradient_penalty: Annotated[float, Field(gt=0)] = 10.0
    """Weight of the penalty of `wasserstein_gp`."""
    label_smoothing: Probability = 0.0
    """What the target of real images falls short of 1, for the discriminator."""
    discriminator_steps: Positive = 1
    """Steps of the discriminator, on a batch with new noise each time, to one of the generator."""
    discriminator_lr_factor: Annotated[float, Field(gt=0)] = 1.0
    """The discriminator's learning rate as a multiple of the generator's, at every moment of `lr_scheduler`."""
    features: models.FromExperiment | None = None
    """`{from_experiment: NAME}`: a classifier of such images; what it sees in them before its last layer is where real
    and generated images are compared, by the model of its first seed for all seeds. When absent, by their pixels,
    averaged to at most 8x8."""
