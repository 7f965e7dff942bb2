"""A generator with its discriminator, whatever their layers are."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

LEAK = 0.2  # of LeakyReLU, as both papers have it

Bounded = Callable[[nn.Module], nn.Module]
"""What is done to each layer of a discriminator that has weights."""


def bounded_by(norm: str) -> Bounded:
    """Spectral normalisation of a layer's weights where ``norm`` says so."""
    return spectral_norm if norm == "spectral" else _as_it_is


def _as_it_is(layer: nn.Module) -> nn.Module:
    return layer


class Generator(nn.Module):
    """From noise (B, latent) and, where there are classes, a label (B,), to images (B, C, H, W) in [-1, 1]."""

    def __init__(self, layers: nn.Module, num_classes: int):
        """``layers`` read the noise with the label behind it, one of ``num_classes`` as 0s and a 1; 0 for no label."""
        super().__init__()
        self.layers, self.num_classes = layers, num_classes

    def forward(self, noise: Tensor, label: Tensor | None = None) -> Tensor:
        if self.num_classes:
            noise = torch.cat([noise, F.one_hot(label, self.num_classes).to(noise.dtype)], dim=1)
        return self.layers(noise)


class Discriminator(nn.Module):
    """From images (B, C, H, W) in [-1, 1] to scores (B,): the higher, the more real.

    The label counts by a projection (Miyato and Koyama, arXiv 1802.05637).
    """

    def __init__(self, layers: nn.Module, features: int, num_classes: int, bounded: Bounded):
        """``layers`` give ``features`` values of an image; no label where ``num_classes`` is 0."""
        super().__init__()
        self.layers = layers
        self.score = bounded(nn.Linear(features, 1))
        self.of_class = bounded(nn.Embedding(num_classes, features)) if num_classes else None

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        seen = self.layers(image)
        score = self.score(seen).squeeze(1)
        return score if self.of_class is None else score + (self.of_class(label) * seen).sum(1)


class Adversaries(nn.Module):
    """Both networks; called, it generates.

    Attributes:
        generator: See ``Generator``.
        discriminator: See ``Discriminator``.
        latent: Values of noise that the generator reads.
        conditional: Whether both must be told the class.
    """

    def __init__(self, generator: Generator, discriminator: Discriminator, latent: int):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.latent, self.conditional = latent, bool(generator.num_classes)

    def forward(self, noise: Tensor, label: Tensor | None = None) -> Tensor:
        return self.generator(noise, label)
