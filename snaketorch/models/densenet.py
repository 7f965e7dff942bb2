"""DenseNet."""

from torch import nn
from torchvision.models import get_model

from snaketorch.config.models import Densenet
from snaketorch.models.shapes import ImageShape
from snaketorch.models.stem import first_convolution
from snaketorch.models.torchvision_network import TorchvisionNetwork, check_image, entered_small


def build(options: Densenet, input_shape: ImageShape, num_outputs: int) -> TorchvisionNetwork:
    """A stem, four dense blocks and the head. The stem for small images has 3x3 filters and no pooling."""
    small = entered_small(options, input_shape)
    network = get_model(options.variant, weights=None, num_classes=num_outputs, drop_rate=options.drop_rate)
    features = network.features
    features.conv0 = first_convolution(features.conv0, input_shape.channels, small, nn.init.kaiming_normal_)
    if small:
        features.pool0 = nn.Identity()
    stem = nn.Sequential(features.conv0, features.norm0, features.relu0, features.pool0)
    between = {name: part for name, part in features.named_children() if name.startswith(("denseblock", "transition"))}
    last = nn.Sequential(features.norm5, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    parts = {"stem": stem, **between, "last": last}
    return check_image(TorchvisionNetwork(network, parts, network.classifier), options, input_shape)
