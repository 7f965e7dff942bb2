"""VGG."""

from torch import nn
from torchvision.models import get_model

from snaketorch.config.models import Vgg
from snaketorch.models.adaptive_mean import AdaptiveMean
from snaketorch.models.shapes import ImageShape
from snaketorch.models.stages import convolution_stages, dense_layers, parts_of
from snaketorch.models.stem import first_convolution, kaiming_fan_out
from snaketorch.models.torchvision_network import TorchvisionNetwork, check_image, entered_small

POOLED = 7
"""Side of the maps that torchvision gives to the dense layers, whatever the size of the image."""


def build(options: Vgg, input_shape: ImageShape, num_outputs: int) -> TorchvisionNetwork:
    """Five stages of convolutions, two dense layers, and the head.

    For small images as many of the first poolings are left out as the image is too small for, and the dense layers
    read the maps as they come, at most 7x7.
    """
    network = get_model(options.variant, weights=None, num_classes=num_outputs, dropout=options.dropout)
    features, classifier = network.features, network.classifier
    features[0] = first_convolution(features[0], input_shape.channels, False, kaiming_fan_out)
    stages, pooled = convolution_stages(features), [POOLED, POOLED]
    if entered_small(options, input_shape):
        sides = input_shape.height, input_shape.width
        poolings = min(len(stages), min(sides).bit_length() - 1)  # how often the shorter side can be halved
        for stage in stages[: len(stages) - poolings]:
            stage[-1] = nn.Identity()
        pooled = [min(POOLED, side >> poolings) for side in sides]
        classifier[0] = nn.Linear(512 * pooled[0] * pooled[1], classifier[0].out_features)
        nn.init.normal_(classifier[0].weight, 0, 0.01)
        nn.init.zeros_(classifier[0].bias)
    hidden, head = dense_layers(classifier)
    parts = parts_of(stages, AdaptiveMean(*pooled), hidden)
    return check_image(TorchvisionNetwork(network, parts, head), options, input_shape)
