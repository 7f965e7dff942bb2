"""The first convolutional network of note."""

from typing import ClassVar, Literal

from snaketorch.config.models.base import IMAGE, Network


class Lenet(Network):
    """LeNet-5 (1998): two convolutions with pooling, then dense layers of 120 and 84; images from 12x12 on.

    Images of 28x28 pixels give the sizes that were published.
    """

    reads: ClassVar[tuple[str, ...]] = (IMAGE,)
    implementation: ClassVar[str] = "snaketorch.models.lenet:Lenet"

    kind: Literal["lenet"]
    activation: Literal["tanh", "relu"] = "tanh"
    """What follows each layer; `tanh` as published."""
    pooling: Literal["avg", "max"] = "avg"
    """How 2x2 pixels become one; the average as published."""

    @property
    def smallest_image(self) -> int:
        return 12  # one pixel is left after both convolutions and poolings
