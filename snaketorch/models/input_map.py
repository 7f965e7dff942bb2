"""Samples as the weights of a trained network know them.

A dataset's images, sequences and numbers are normalised by its own statistics. Weights that were trained on other data
were given those normalised by theirs, and would take one grey for another. So a network that starts from trained
weights maps its input first: channel by channel, or column by column, a factor and a shift. Both are buffers of the
network and saved with it.
"""

import torch
from torch import Tensor, nn

from snaketorch.models.shapes import ImageShape, RowShape, SequenceShape

SCALE, SHIFT = "input_scale", "input_shift"


def map_input(network: nn.Module, shape: ImageShape | SequenceShape | RowShape) -> None:
    """Gives ``network``, which reads samples of ``shape``, a map of its input that changes nothing yet.

    Of rows only the numbers are mapped. Padding of sequences stays zero.
    """
    match shape:
        case ImageShape():
            size: tuple[int, ...] = (shape.channels, 1, 1)
        case SequenceShape():
            size = (shape.features,)
        case RowShape():
            size = (shape.numbers,)
    network.register_buffer(SCALE, torch.ones(size))
    network.register_buffer(SHIFT, torch.zeros(size))
    network.register_forward_pre_hook(_mapped_steps if isinstance(shape, SequenceShape) else _mapped)


def _mapped(network: nn.Module, inputs: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
    values, *rest = inputs
    if values is None:  # rows without numbers
        return inputs
    return (values * network.input_scale + network.input_shift, *rest)


def _mapped_steps(network: nn.Module, inputs: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
    values, *length = _mapped(network, inputs)
    if not length or length[0] is None:
        return (values, *length)
    padding = torch.arange(values.shape[1], device=values.device) >= length[0][:, None]
    return (values.masked_fill(padding[:, :, None], 0), *length)
