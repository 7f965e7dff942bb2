"""Networks. They know shapes and layers, nothing of losses, data files or training."""

from torch import nn

from snaketorch.config.models import Model
from snaketorch.implementation import resolve


def build_network(options: Model, input_shape: tuple[int, ...], num_outputs: int) -> nn.Module:
    """The network that ``options`` names, with fresh weights from torch's random state.

    Args:
        options: A section of ``snaketorch.config.models``; its ``implementation`` is called.
        input_shape: Of one sample: (C, H, W) of an image, (T, F) of a sequence.
        num_outputs: Values that the network gives for each sample.

    Returns:
        A module from (B, *input_shape) float to (B, num_outputs).
    """
    return resolve(options.implementation)(options, input_shape, num_outputs)
