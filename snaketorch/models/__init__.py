"""Networks. They know shapes and layers, nothing of losses, data files or training."""

from torch import nn

from snaketorch.config.models import IMAGE, ROW, SEQUENCE, Model
from snaketorch.implementation import resolve
from snaketorch.models.input_map import map_input
from snaketorch.models.shapes import ImageShape, RowShape, SequenceShape, Shape

MAPPED = {ImageShape: IMAGE, SequenceShape: SEQUENCE, RowShape: ROW}
"""Samples of numbers, which a network that starts from trained weights maps to what these know."""


def build_network(options: Model, shape: Shape, num_outputs: int, each_step: bool = False) -> nn.Module:
    """The network that ``options`` names, with fresh weights from torch's random state.

    Args:
        options: A section of ``snaketorch.config.models``; its ``implementation`` is called.
        shape: Of one sample.
        num_outputs: Values that the network gives for each sample.
        each_step: Give them at every step of a sequence, seeing only that step and those before it; only of
            networks whose section says ``each_step``.

    Returns:
        A module that reads what ``shape`` describes and gives (B, num_outputs), or (B, T, num_outputs) at each step.
        Its last layers are its ``head``, which depends on ``num_outputs``; the rest does not.
    """
    build = resolve(options.implementation)
    network = build(options, shape, num_outputs, each_step=True) if each_step else build(options, shape, num_outputs)
    if options.pretrained is not None and MAPPED.get(type(shape)) in options.reads:
        map_input(network, shape)
    return network
