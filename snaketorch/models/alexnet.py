"""AlexNet."""

from torch import nn
from torchvision.models import get_model

from snaketorch.config.models import Alexnet
from snaketorch.models.adaptive_mean import AdaptiveMean
from snaketorch.models.shapes import ImageShape
from snaketorch.models.stages import convolution_stages, dense_layers, parts_of
from snaketorch.models.stem import first_convolution
from snaketorch.models.torchvision_network import TorchvisionNetwork, check_image, entered_small

POOLED = 6
"""Side of the maps that torchvision gives to the dense layers, whatever the size of the image."""


def build(options: Alexnet, input_shape: ImageShape, num_outputs: int) -> TorchvisionNetwork:
    """Three stages of convolutions, two dense layers, and the head.

    For small images the first convolution has 3x3 filters, poolings are of 2x2 pixels, and the dense layers read the
    maps as they come, at most 6x6.
    """
    small = entered_small(options, input_shape)
    network = get_model("alexnet", weights=None, num_classes=num_outputs, dropout=options.dropout)
    features, classifier = network.features, network.classifier
    features[0] = first_convolution(features[0], input_shape.channels, small)
    sides = [POOLED, POOLED]
    if small:
        for number, layer in enumerate(features):
            if isinstance(layer, nn.MaxPool2d):
                features[number] = nn.MaxPool2d(2)
        sides = [min(POOLED, max(1, side // 8)) for side in (input_shape.height, input_shape.width)]
        classifier[1] = nn.Linear(256 * sides[0] * sides[1], classifier[1].out_features)
    hidden, head = dense_layers(classifier)
    parts = parts_of(convolution_stages(features), AdaptiveMean(*sides), hidden)
    return check_image(TorchvisionNetwork(network, parts, head), options, input_shape)
