"""MobileNet v2 and v3."""

from torch import nn
from torchvision.models import get_model

from snaketorch.config.models import Mobilenet
from snaketorch.models.shapes import ImageShape
from snaketorch.models.stem import first_convolution, kaiming_fan_out, without_next_halving
from snaketorch.models.torchvision_network import TorchvisionNetwork, check_image, entered_small


def build(options: Mobilenet, input_shape: ImageShape, num_outputs: int) -> TorchvisionNetwork:
    """A stem, inverted residual blocks, in v3 a dense layer, and the head. Small images are halved two times less."""
    small = entered_small(options, input_shape)
    network = get_model(options.variant, weights=None, num_classes=num_outputs, dropout=options.dropout)
    stem = network.features[0]
    stem[0] = first_convolution(stem[0], input_shape.channels, small, kaiming_fan_out)
    if small:
        without_next_halving(network.features)
    *hidden, head = network.classifier
    parts = dict(network.features.named_children()) | {
        "mean": nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        "hidden": nn.Sequential(*hidden),  # in v2 no more than the dropout
    }
    return check_image(TorchvisionNetwork(network, parts, head), options, input_shape)
