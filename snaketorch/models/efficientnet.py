"""EfficientNet v1 and v2."""

from torch import nn
from torchvision.models import get_model

from snaketorch.config.models import Efficientnet
from snaketorch.models.shapes import ImageShape
from snaketorch.models.stem import first_convolution, kaiming_fan_out, without_next_halving
from snaketorch.models.torchvision_network import TorchvisionNetwork, check_image, entered_small

OUTPUT_RANGE = 1000**-0.5
"""Of the weights before the outputs: what torchvision gives to the thousand classes of ImageNet."""


def build(options: Efficientnet, input_shape: ImageShape, num_outputs: int) -> TorchvisionNetwork:
    """A stem, stages of inverted residual blocks, and the head. Small images are halved two times less."""
    small = entered_small(options, input_shape)
    asked = options.model_dump(include={"dropout", "stochastic_depth_prob"}, exclude_none=True)
    network = get_model(options.variant, weights=None, num_classes=num_outputs, **asked)
    stem = network.features[0]
    stem[0] = first_convolution(stem[0], input_shape.channels, small, kaiming_fan_out)
    if small:
        without_next_halving(network.features)
    dropout, head = network.classifier
    # torchvision draws by the number of outputs, from [-1, 1] for a single one: it would begin far off
    nn.init.uniform_(head.weight, -OUTPUT_RANGE, OUTPUT_RANGE)
    parts = dict(network.features.named_children()) | {"mean": nn.Sequential(network.avgpool, nn.Flatten(), dropout)}
    return check_image(TorchvisionNetwork(network, parts, head), options, input_shape)
