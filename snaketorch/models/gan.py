"""The dense generator and discriminator."""

from itertools import pairwise

from torch import nn

from snaketorch.config.models import Gan as Options
from snaketorch.models.adversaries import LEAK, Adversaries, Discriminator, Generator, bounded_by
from snaketorch.models.shapes import ImageShape


def build(options: Options, shape: ImageShape, num_outputs: int) -> Adversaries:
    """The pair for images of ``shape``; of ``num_outputs`` classes where it is conditional."""
    num_classes = num_outputs if options.conditional else 0
    pixels = shape[0] * shape[1] * shape[2]
    bounded = bounded_by(options.discriminator_norm)

    sizes = [options.latent + num_classes, *options.hidden]
    upwards: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        upwards += [nn.Linear(inputs, outputs), nn.LeakyReLU(LEAK)]
    upwards += [nn.Linear(sizes[-1], pixels), nn.Tanh(), nn.Unflatten(1, tuple(shape))]

    sizes = [pixels, *reversed(options.hidden)]
    downwards: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in pairwise(sizes):
        downwards += [bounded(nn.Linear(inputs, outputs)), nn.LeakyReLU(LEAK)]

    return Adversaries(
        Generator(nn.Sequential(*upwards), num_classes),
        Discriminator(nn.Sequential(*downwards), sizes[-1], num_classes, bounded),
        options.latent,
    )
