"""The classic small convolutional network."""

from typing import ClassVar, Literal

from pydantic import Field

from snaketorch.config.base import Positive, Probability
from snaketorch.config.models.base import IMAGE, Network


class Cnn(Network):
    """Convolution blocks with pooling, then a dense head."""

    reads: ClassVar[tuple[str, ...]] = (IMAGE,)
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

    @property
    def smallest_image(self) -> int:
        return 2 ** len(self.channels)  # each block halves it
