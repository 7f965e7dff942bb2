"""ConvNeXt."""

from functools import partial

from torch import nn
from torchvision.models import get_model

from snaketorch.config.models import Convnext
from snaketorch.models.shapes import ImageShape
from snaketorch.models.stem import first_convolution
from snaketorch.models.torchvision_network import TorchvisionNetwork, check_image, entered_small


def build(options: Convnext, input_shape: ImageShape, num_outputs: int) -> TorchvisionNetwork:
    """A stem, four stages, a normalisation, and the head. The stem for small images has 3x3 filters for 4x4 patches."""
    small = entered_small(options, input_shape)
    asked = options.model_dump(include={"stochastic_depth_prob"}, exclude_none=True)
    network = get_model(options.variant, weights=None, num_classes=num_outputs, **asked)
    stem = network.features[0]
    stem[0] = first_convolution(stem[0], input_shape.channels, small, partial(nn.init.trunc_normal_, std=0.02))
    normalisation, flatten, head = network.classifier
    parts = dict(network.features.named_children()) | {"mean": nn.Sequential(network.avgpool, normalisation, flatten)}
    return check_image(TorchvisionNetwork(network, parts, head), options, input_shape)
