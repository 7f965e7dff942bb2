"""Networks train on a GPU where torch refuses what is not repeatable, as ``trainer.deterministic`` has it."""

import re

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from snaketorch.config.models import Alexnet, DcGan, Gan, Vgg
from snaketorch.config.models.base import IMAGE
from snaketorch.models import build_network
from snaketorch.models.adaptive_mean import AdaptiveMean
from snaketorch.models.shapes import ImageShape
from tests.unit.registered_networks import SHAPES, registered, some_samples

LARGE = ImageShape(3, 224, 224)

# What torch.use_deterministic_algorithms lists as raising an error on CUDA, by the names that are called.
REFUSED = re.compile(
    r"aten::(_?adaptive_avg_pool[23]d_backward|adaptive_max_pool2d_backward|avg_pool3d_backward"
    r"|fractional_max_pool[23]d_backward|max_unpool[23]d|upsample_\w*(linear|cubic)\w*_backward"
    r"|reflection_pad[123]d_backward|nll_loss2d\w*|_ctc_loss_backward|_embedding_bag\w*_backward|put_?|histc|bincount"
    r"|median\.dim\w*|kthvalue|grid_sampler_[23]d_backward|scatter_reduce\w*)(\.\w+)?$"
)


class Called(TorchDispatchMode):
    """Collects the names of operations, those of gradients included."""

    def __init__(self):
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.names.add(operation.name())
        return operation(*args, **(kwargs or {}))


def refused(network: nn.Module, samples: list[torch.Tensor]) -> set[str]:
    with Called() as called:
        network(*samples).sum().backward()
    return {name for name in called.names if REFUSED.match(name)}


@pytest.mark.parametrize("layer", [nn.AdaptiveAvgPool2d(3), nn.ReflectionPad2d(1), nn.Upsample(9, mode="bilinear")])
def test_what_torch_refuses_would_be_seen(layer):
    assert refused(layer, [torch.zeros(1, 1, 7, 7, requires_grad=True)])
    assert not refused(nn.AdaptiveAvgPool2d(1), [torch.zeros(1, 1, 7, 7, requires_grad=True)])


@pytest.mark.parametrize("case", registered(), ids=str)
def test_no_network_calls_what_torch_refuses(case):
    for shape in (SHAPES[case.reads], *([LARGE] if case.reads == IMAGE else [])):
        with torch.device("meta"):
            network = build_network(case.section(kind=case.kind), shape, 5)
        assert not refused(network, some_samples(shape, "meta"))
        for layer in network.modules():
            if isinstance(layer, nn.AdaptiveAvgPool2d):
                assert layer.output_size in (1, (1, 1))


@pytest.mark.parametrize("options", [Gan(kind="gan"), DcGan(kind="dcgan")], ids=lambda options: options.kind)
def test_no_pair_calls_what_torch_refuses(options):
    with torch.device("meta"):
        network = build_network(options, LARGE, 5)
        noise = torch.zeros(2, network.latent)
    assert not refused(nn.Sequential(network.generator, network.discriminator), [noise])


@pytest.mark.parametrize("size", [(6, 6), (13, 13), (1, 2), (7, 5), (14, 21), (3, 20)])
def test_the_means_are_those_of_adaptive_average_pooling(size):
    torch.manual_seed(0)
    maps = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    for parts in ((6, 6), (7, 7), (2, 5)):
        theirs, ours = nn.AdaptiveAvgPool2d(parts)(maps), AdaptiveMean(*parts)(maps)
        torch.testing.assert_close(ours, theirs)
        weights = torch.randn_like(theirs)
        gradients = [torch.autograd.grad((means * weights).sum(), maps) for means in (ours, theirs)]
        torch.testing.assert_close(*gradients)
    assert AdaptiveMean(*size)(maps) is maps


@pytest.mark.parametrize(
    ("options", "side"), [(Alexnet(kind="alexnet"), 6), (Vgg(kind="vgg"), 7)], ids=["alexnet", "vgg"]
)
def test_maps_of_any_size_reach_the_dense_layers_as_torchvision_has_it(options, side):
    with torch.device("meta"):
        network = build_network(options, ImageShape(3, 300, 200), 5)
    pooling = network.body.pooling[0]
    assert (pooling.height, pooling.width) == (side, side)
    assert network(torch.zeros(1, 3, 300, 200, device="meta")).shape == (1, 5)
