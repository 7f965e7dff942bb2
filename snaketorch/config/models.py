"""The networks an experiment can name.

To add one: a section here that names its implementation, and one line in ``Model``.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from snaketorch.config.base import Positive, Probability, Section

IMAGE = "an image"
SEQUENCE = "a sequence"


class Cnn(Section):
    """Convolution blocks with pooling, then a dense head."""

    reads: ClassVar[str] = IMAGE
    implementation: ClassVar[str] = "snaketorch.models.cnn:Cnn"

    kind: Literal["cnn"]
    channels: list[Positive] = Field([32, 64, 64], min_length=1)
    """Filters of each block."""
    kernel_size: Positive = 3
    """Side of the filters in pixels."""
    hidden: Positive = 64
    """Units of the dense layer before the output."""
    dropout: Probability = 0.0
    """Share of dense units dropped in training."""
    batch_norm: bool = True
    """Normalise the activations of each block over the batch."""


class _Recurrent(Section):
    """Recurrent layers; the last state becomes the output."""

    reads: ClassVar[str] = SEQUENCE
    implementation: ClassVar[str] = "snaketorch.models.recurrent:Recurrent"

    hidden: Positive = 64
    """Units of each layer and direction."""
    layers: Positive = 1
    """Stacked layers."""
    bidirectional: bool = False
    """Read the sequence in both directions."""
    dropout: Probability = 0.0
    """Share of units dropped between layers and before the output."""


class Lstm(_Recurrent):
    """Long short-term memory; the last state becomes the output."""

    kind: Literal["lstm"]


class Gru(_Recurrent):
    """Gated recurrent units; the last state becomes the output."""

    kind: Literal["gru"]


Model = Annotated[Cnn | Lstm | Gru, Field(discriminator="kind")]
