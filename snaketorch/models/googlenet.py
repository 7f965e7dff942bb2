"""GoogLeNet."""

from functools import partial

from torch import nn
from torchvision.models import get_model

from snaketorch.config.models import Googlenet
from snaketorch.models.shapes import ImageShape
from snaketorch.models.stem import first_convolution
from snaketorch.models.torchvision_network import TorchvisionNetwork, check_image, entered_small


def build(options: Googlenet, input_shape: ImageShape, num_outputs: int) -> TorchvisionNetwork:
    """Two stages of convolutions, three of inception modules, and the head.

    The auxiliary outputs, which the publication adds to the loss, are left out: a network here has one output. For
    small images the first convolution has 3x3 filters, and the first pooling is left out.
    """
    small = entered_small(options, input_shape)
    network = get_model(
        "googlenet",
        weights=None,
        num_classes=num_outputs,
        dropout=options.dropout,
        aux_logits=False,
        init_weights=True,
    )
    convolution = network.conv1.conv
    initialise = partial(nn.init.trunc_normal_, mean=0.0, std=0.01, a=-2, b=2)
    network.conv1.conv = first_convolution(convolution, input_shape.channels, small, initialise)
    if small:
        network.maxpool1 = nn.Identity()
    at_the_end = ("avgpool", "dropout", "fc")
    before = {name: part for name, part in network.named_children() if name not in at_the_end}
    parts = {**before, "mean": nn.Sequential(network.avgpool, nn.Flatten(), network.dropout)}
    return check_image(TorchvisionNetwork(network, parts, network.fc), options, input_shape)
