"""The deep convolutional generator and discriminator, for images of any size."""

from itertools import pairwise

from torch import Tensor, nn

from snaketorch.config.models import DcGan as Options
from snaketorch.config.models.generative import SMALLEST_SIDE
from snaketorch.errors import UserError
from snaketorch.models.adversaries import LEAK, Adversaries, Bounded, Discriminator, Generator, bounded_by
from snaketorch.models.shapes import ImageShape

WEIGHTS_STD = 0.02  # of all layers at the start, as in the paper


class Doubling(nn.ConvTranspose2d):
    """A transposed convolution to ``size`` (H, W), which is twice that of what it reads, or one less."""

    def __init__(self, channels_in: int, channels_out: int, size: tuple[int, int], bias: bool):
        super().__init__(channels_in, channels_out, kernel_size=4, stride=2, padding=1, bias=bias)
        self.size = size

    def forward(self, image: Tensor) -> Tensor:
        height, width = self.size
        return super().forward(image)[:, :, :height, :width]


def build(options: Options, shape: ImageShape, num_outputs: int) -> Adversaries:
    """The pair for images of ``shape``; of ``num_outputs`` classes where it is conditional.

    Raises:
        UserError: The images are too small for the network.
    """
    blocks, side = len(options.channels), min(shape.height, shape.width)
    smallest = options.smallest_image
    if side < smallest:
        raise UserError(
            f"model.channels: {blocks} blocks need images of at least {smallest}x{smallest} pixels, but these have "
            f"{shape.height}x{shape.width}; allowed: larger images (prepare.size of the dataset)"
            + (", or fewer blocks" if side >= SMALLEST_SIDE else "")
        )
    num_classes = num_outputs if options.conditional else 0
    bounded = bounded_by(options.discriminator_norm)
    downwards, features = _downwards(options, shape, bounded)
    pair = Adversaries(
        Generator(_upwards(options, shape, num_classes), num_classes),
        Discriminator(downwards, features, num_classes, bounded),
        options.latent,
    )
    pair.apply(_start)
    return pair


def _upwards(options: Options, shape: ImageShape, num_classes: int) -> nn.Sequential:
    sizes = [(shape.height, shape.width)]
    for _ in options.channels:
        sizes.insert(0, tuple(-(-side // 2) for side in sizes[0]))
    first, (height, width) = options.channels[0], sizes[0]
    layers: list[nn.Module] = [
        nn.Linear(options.latent + num_classes, first * height * width, bias=False),
        nn.Unflatten(1, (first, height, width)),
        nn.BatchNorm2d(first),
        nn.ReLU(),
    ]
    for (inputs, outputs), size in zip(pairwise(options.channels), sizes[1:], strict=False):
        layers += [Doubling(inputs, outputs, size, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    layers += [Doubling(options.channels[-1], shape.channels, sizes[-1], bias=True), nn.Tanh()]
    return nn.Sequential(*layers)


def _downwards(options: Options, shape: ImageShape, bounded: Bounded) -> tuple[nn.Sequential, int]:
    """The layers, and the values that they give of an image."""
    batch_norm = options.discriminator_norm == "batch"
    channels = [shape.channels, *reversed(options.channels)]
    layers: list[nn.Module] = []
    for number, (inputs, outputs) in enumerate(pairwise(channels)):
        normalised = batch_norm and number > 0  # the paper leaves the pixels as they are
        layers.append(bounded(nn.Conv2d(inputs, outputs, kernel_size=4, stride=2, padding=1, bias=not normalised)))
        layers += [nn.BatchNorm2d(outputs)] * normalised + [nn.LeakyReLU(LEAK)]
    layers.append(nn.Flatten())
    shrunk = 2 ** len(options.channels)
    return nn.Sequential(*layers), options.channels[0] * (shape.height // shrunk) * (shape.width // shrunk)


def _start(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        weight = layer.parametrizations.weight.original if hasattr(layer, "parametrizations") else layer.weight
        nn.init.normal_(weight, std=WEIGHTS_STD)
