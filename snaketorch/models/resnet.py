"""ResNet, ResNeXt and wide ResNet."""

from torch import nn
from torchvision.models import get_model

from snaketorch.config.models import Resnet
from snaketorch.models.shapes import ImageShape
from snaketorch.models.stem import first_convolution, kaiming_fan_out
from snaketorch.models.torchvision_network import TorchvisionNetwork, check_image, entered_small


def build(options: Resnet, input_shape: ImageShape, num_outputs: int) -> TorchvisionNetwork:
    """A stem, four stages and the head. The stem for small images has 3x3 filters and no pooling."""
    small = entered_small(options, input_shape)
    network = get_model(options.variant, weights=None, num_classes=num_outputs)
    network.conv1 = first_convolution(network.conv1, input_shape.channels, small, kaiming_fan_out)
    if small:
        network.maxpool = nn.Identity()
    parts = {
        "stem": nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool),
        "layer1": network.layer1,
        "layer2": network.layer2,
        "layer3": network.layer3,
        "layer4": network.layer4,
        "mean": nn.Sequential(network.avgpool, nn.Flatten()),
    }
    return check_image(TorchvisionNetwork(network, parts, network.fc), options, input_shape)
