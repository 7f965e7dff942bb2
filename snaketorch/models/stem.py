"""How an image enters a network that was made for three channels and 224x224 pixels."""

from collections.abc import Callable

from torch import Tensor, nn


def first_convolution(
    convolution: nn.Conv2d, channels: int, small: bool, initialise: Callable[[Tensor], object] | None = None
) -> nn.Conv2d:
    """The ``convolution`` that a network begins with, for images of ``channels``.

    Args:
        convolution: As torchvision made it; returned as it is where it fits.
        channels: Of the images.
        small: Keep the size of the image, with 3x3 filters.
        initialise: How the network's convolutions are initialised, with biases of 0; torch's way when None.
    """
    if channels == convolution.in_channels and not small:
        return convolution
    kernel = {"kernel_size": 3, "stride": 1, "padding": 1} if small else _kernel(convolution)
    fitting = nn.Conv2d(channels, convolution.out_channels, bias=convolution.bias is not None, **kernel)
    if initialise is not None:
        initialise(fitting.weight)
        if fitting.bias is not None:
            nn.init.zeros_(fitting.bias)
    return fitting


def without_next_halving(features: nn.Module) -> None:
    """Lets the first convolution of ``features`` that halves an image keep its size."""
    halving = next(layer for layer in features.modules() if isinstance(layer, nn.Conv2d) and layer.stride == (2, 2))
    halving.stride = (1, 1)


def _kernel(convolution: nn.Conv2d) -> dict[str, tuple[int, ...]]:
    return {name: getattr(convolution, name) for name in ("kernel_size", "stride", "padding")}


def kaiming_fan_out(weight: Tensor) -> None:
    """As torchvision initialises the convolutions of most of its networks."""
    nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")
