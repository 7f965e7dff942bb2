"""Networks that make images: a generator with its discriminator."""

from typing import ClassVar, Literal

from pydantic import Field

from snaketorch.config.base import Positive
from snaketorch.config.models.base import NOISE, Network

SMALLEST_SIDE = 8
"""Pixels that `dcgan` needs, however few its blocks are."""


class _Adversaries(Network):
    reads: ClassVar[tuple[str, ...]] = (NOISE,)

    latent: Positive = 100
    """Values of noise that an image is made from."""
    conditional: bool = False
    """Make images of a class that is asked for, and judge them as images of that class."""


class Gan(_Adversaries):
    """A dense generator and a dense discriminator (Goodfellow et al., arXiv 1406.2661)."""

    implementation: ClassVar[str] = "snaketorch.models.gan:build"

    kind: Literal["gan"]
    hidden: list[Positive] = Field([256], min_length=1)
    """Units of each hidden layer of the generator; the discriminator has them in reverse."""
    discriminator_norm: Literal["none", "spectral"] = "none"
    """What keeps the discriminator in bounds: nothing, or weights of spectral norm 1 (arXiv 1802.05957)."""


class DcGan(_Adversaries):
    """Transposed convolutions against convolutions of stride 2 (Radford et al., arXiv 1511.06434)."""

    implementation: ClassVar[str] = "snaketorch.models.dcgan:build"

    kind: Literal["dcgan"]
    channels: list[Positive] = Field([128, 64], min_length=1)
    """Channels before each doubling of the image by the generator; the discriminator has them in reverse."""
    discriminator_norm: Literal["batch", "spectral", "none"] = "batch"
    """What keeps the discriminator in bounds: batch normalisation, weights of spectral norm 1 (arXiv 1802.05957), or
    nothing."""

    @property
    def smallest_image(self) -> int:
        return max(SMALLEST_SIDE, 2 ** len(self.channels))
