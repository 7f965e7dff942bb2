"""Operations against published figures of known networks, for one image of 224 pixels."""

import pytest
import torch
from training_specs import spec_of

from snaketorch.models import build_network
from snaketorch.models.shapes import ImageShape
from snaketorch.planning.fakes import Fakes
from snaketorch.planning.lifetimes import Lifetimes
from snaketorch.planning.rnn_reserve import Recurrence

PUBLISHED = {
    "resnet50": ({"kind": "resnet", "variant": "resnet50"}, 4.09e9, 25_557_032),
    "vgg16": ({"kind": "vgg", "variant": "vgg16"}, 15.47e9, 138_357_544),
    "alexnet": ({"kind": "alexnet"}, 0.71e9, 61_100_840),
}
"""Multiplications with an addition, and weights, from torchvision's table of its models."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_known_networks_have_their_published_operations(name):
    model, products, weights = PUBLISHED[name]
    options = spec_of({"kind": "image_classification"}, model).model
    with Fakes(), Lifetimes(is_fake=True) as lifetimes:
        network = build_network(options, ImageShape(3, 224, 224), 1000)
        network(torch.empty(1, 3, 224, 224))
    assert lifetimes.work.flops["fp32"] / 2 == pytest.approx(products, rel=0.01)
    assert sum(weight.numel() for weight in network.parameters()) == weights


def test_a_fused_recurrent_layer_has_the_products_of_its_matrices():
    call = Recurrence("lstm", 10, 4, 8, 16, layers=2, directions=1, dropout=False, itemsize=4)
    lstm = torch.nn.LSTM(8, 16, num_layers=2)
    matrices = sum(weight.numel() for weight in lstm.parameters() if weight.ndim == 2)
    assert call.flops == 2 * 10 * 4 * matrices


def test_gradients_are_twice_the_work_and_the_optimizer_multiplies_no_matrices():
    linear = torch.nn.Linear(64, 32)
    with Lifetimes(is_fake=False) as lifetimes:
        output = linear(torch.randn(8, 64, requires_grad=True))
        forward = dict(lifetimes.work.flops)
        output.sum().backward()
    assert forward == {"fp32": 2 * 8 * 64 * 32}
    assert lifetimes.work.flops == {"fp32": 3 * 2 * 8 * 64 * 32}
    assert lifetimes.has_products


@pytest.mark.parametrize("groups", [1, 4, 32])
@pytest.mark.parametrize("kind", [torch.nn.Conv2d, torch.nn.ConvTranspose2d])
def test_gradients_of_grouped_filters_have_the_products_of_the_forward_pass_each(groups, kind):
    convolution = kind(32, 32, 3, padding=1, groups=groups, bias=False)
    with Lifetimes(is_fake=False) as lifetimes:
        output = convolution(torch.randn(2, 32, 8, 8, requires_grad=True))
        output.sum().backward()
    products = 2 * 8 * 8 * 32 * (32 // groups) * 9
    assert lifetimes.work.flops == {"fp32": 3 * 2 * products}
