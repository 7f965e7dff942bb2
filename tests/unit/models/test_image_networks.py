import re
from functools import cache
from typing import get_args

import pytest
import torch
import torchvision
from torch import nn

from snaketorch.config.models import (
    IMAGE,
    Alexnet,
    Convnext,
    Densenet,
    Efficientnet,
    Googlenet,
    Lenet,
    Mobilenet,
    Model,
    Resnet,
    Torchvision,
    Vgg,
    Vit,
)
from snaketorch.errors import UserError
from snaketorch.models import build_network
from snaketorch.models.blocks import blocks_of
from snaketorch.models.shapes import ImageShape

pytestmark = pytest.mark.filterwarnings("error")

SMALL_VIT = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16, "mlp_dim": 32}
SECTIONS = get_args(get_args(Model)[0])
KINDS = {get_args(section.model_fields["kind"].annotation)[0]: section for section in SECTIONS}
IMAGE_KINDS = [kind for kind, section in KINDS.items() if IMAGE in section.reads and kind != "custom"]
OF_TORCHVISION = [kind for kind, section in KINDS.items() if issubclass(section, Torchvision)]
MANY_WEIGHTS = ("alexnet", "vgg", "convnext", "vit", "mlp")
"""Built without memory for their weights; the others have many layers, which are slow without."""


def small(kind: str, **options):
    """The section of a network, as small as its options allow."""
    least = {"vit": SMALL_VIT}.get(kind, {})
    return KINDS[kind].model_validate({"kind": kind, **least, **options})


def build(options, shape: tuple[int, ...], num_outputs: int = 7) -> nn.Module:
    with torch.device("meta" if options.kind in MANY_WEIGHTS else "cpu"):
        return build_network(options, ImageShape(*shape), num_outputs)


@cache
def small_network(kind: str) -> nn.Module:
    """Of grey images of 16x16 pixels, for tests that only look."""
    torch.set_num_threads(1)
    return build(small(kind), (1, 16, 16))


def output_shape(network: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    with torch.no_grad():
        return tuple(network(torch.zeros(2, *shape, device=network.head.weight.device)).shape)


@pytest.mark.parametrize("kind", IMAGE_KINDS)
def test_every_image_network_trains_on_small_grey_images_part_by_part(kind):
    network = small_network(kind)
    called: list[nn.Module] = []
    hooks = [part.register_forward_pre_hook(lambda part, _: called.append(part)) for part in blocks_of(network)]

    assert network.training
    assert output_shape(network, (1, 16, 16)) == (2, 7)

    for hook in hooks:
        hook.remove()
    assert called == blocks_of(network), "the parts of a network are called in their order"


@pytest.mark.parametrize("kind", IMAGE_KINDS)
def test_the_parts_of_a_network_hold_every_weight_once_in_their_order(kind):
    network = small_network(kind)

    blocks = blocks_of(network)

    assert blocks[-1] is network.head
    in_blocks = [id(weight) for block in blocks for weight in block.parameters()]
    assert in_blocks == [id(weight) for weight in network.parameters()]
    assert all(any(True for _ in block.parameters()) for block in blocks), "a part has nothing to train"


@pytest.mark.parametrize("kind", IMAGE_KINDS)
def test_the_number_of_outputs_changes_the_head_alone(kind):
    with torch.device("meta"):
        more = build_network(small(kind), ImageShape(1, 16, 16), 9).state_dict()
    few = small_network(kind).state_dict()

    assert few.keys() == more.keys()
    assert {name for name in few if few[name].shape != more[name].shape} == {"head.weight", "head.bias"}


@pytest.mark.parametrize("kind", IMAGE_KINDS)
def test_colour_images_of_any_sides_are_read(kind):
    network = build(small(kind), (3, 32, 45))

    assert output_shape(network.eval(), (3, 32, 45)) == (2, 7)


@pytest.mark.parametrize("kind", ["resnet", "convnext", "vgg", "alexnet"])
def test_large_images_of_any_sides_and_channels_are_read(kind):
    network = build(small(kind), (4, 224, 180))

    assert output_shape(network.eval(), (4, 224, 180)) == (2, 7)


@pytest.mark.parametrize(
    ("options", "smallest"),
    [
        (Lenet(kind="lenet"), 12),
        (Resnet(kind="resnet"), 5),
        (Resnet(kind="resnet", stem="standard"), 17),
        (Densenet(kind="densenet"), 8),
        (Densenet(kind="densenet", stem="standard"), 29),
        (Googlenet(kind="googlenet"), 8),
        (Alexnet(kind="alexnet"), 8),
        (Alexnet(kind="alexnet", stem="standard"), 63),
        (Vgg(kind="vgg", variant="vgg11", stem="standard"), 32),
        (Mobilenet(kind="mobilenet", stem="standard"), 17),
        (Efficientnet(kind="efficientnet"), 5),
        (Convnext(kind="convnext"), 8),
        (Convnext(kind="convnext", stem="standard"), 32),
        (Vit(kind="vit", stem="standard", **SMALL_VIT), 16),
    ],
    ids=lambda value: f"{value.kind}-{getattr(value, 'stem', '')}" if hasattr(value, "kind") else str(value),
)
def test_an_image_below_the_smallest_is_refused_and_the_smallest_is_read(options, smallest):
    network = build(options, (1, smallest, smallest)).eval()
    assert output_shape(network, (1, smallest, smallest)) == (2, 7)

    said = rf"{smallest}x{smallest - 1} pixels to nothing; allowed: images of at least {smallest}x{smallest} "
    with pytest.raises(UserError, match=said):
        build(options, (1, smallest, smallest - 1))


def test_who_enters_small_images_by_the_standard_stem_is_told_of_the_small_one():
    with pytest.raises(UserError, match=r"resnet18 with the standard stem .*, or model\.stem: small$"):
        build(Resnet(kind="resnet", stem="standard"), (1, 16, 16))


@pytest.mark.parametrize("kind", ["resnet", "densenet", "googlenet", "mobilenet", "efficientnet", "convnext"])
def test_images_of_up_to_64_pixels_are_shrunk_8_fold_and_others_32_fold(kind):
    torch.set_num_threads(1)
    for side, last in [(64, 8), (96, 3)]:
        network = build(small(kind), (3, side, side)).eval()
        sides = []
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d):
                layer.register_forward_hook(lambda _, given, made, sides=sides: sides.append(made.shape[-1]))
        output_shape(network, (3, side, side))
        assert min(side for side in sides if side > 1) == last  # squeezed channels have one pixel


def of_torchvision(options, side: int) -> nn.Module:
    if options.kind == "vit":
        return torchvision.models.VisionTransformer(side, 16, **SMALL_VIT, num_classes=7)
    keywords = {"aux_logits": False, "init_weights": False} if options.kind == "googlenet" else {}
    return torchvision.models.get_model(options.torchvision_name, weights=None, num_classes=7, **keywords)


@pytest.mark.parametrize("kind", [kind for kind in OF_TORCHVISION if kind != "vgg"])  # too many weights to draw
def test_the_same_weights_give_what_torchvision_gives(kind):
    torch.set_num_threads(1)
    options, side = small(kind, stem="standard"), 64
    with torch.device("meta"):
        network, theirs = build_network(options, ImageShape(3, side, side), 7), of_torchvision(options, side)
    random = torch.Generator().manual_seed(1)
    weights = {
        name: torch.empty(weight.shape).uniform_(0.5, 1.5, generator=random)
        if weight.ndim < 2
        else torch.empty(weight.shape).normal_(std=weight[0].numel() ** -0.5, generator=random)
        for name, weight in theirs.state_dict().items()
    }
    theirs.load_state_dict(weights, assign=True)
    network.load_state_dict(network.from_torchvision(weights), assign=True)
    image = torch.randn(2, 3, side, side, generator=random)

    with torch.no_grad():
        given, expected = network.eval()(image), theirs.eval()(image)

    assert expected.std() > 0
    torch.testing.assert_close(given, expected)


@pytest.mark.parametrize(
    ("kind", "older"),
    [
        ("densenet", {r"(denselayer\d+\.(?:norm|conv))([12])\.": r"\1.\2."}),
        ("vit", {r"\.mlp\.0\.": ".mlp.linear_1.", r"\.mlp\.3\.": ".mlp.linear_2."}),
    ],
)
def test_names_of_older_files_are_understood(kind, older):
    with torch.device("meta"):
        network = build_network(small(kind, stem="standard"), ImageShape(3, 64, 64), 7)
    file = {}
    for name in network.names:
        old = name
        for now, before in older.items():
            old = re.sub(now, before, old)
        file[old] = name

    assert file.keys() != network.names.keys()
    assert network.from_torchvision(file) == {here: name for name, here in network.names.items()}


@pytest.mark.parametrize("kind", OF_TORCHVISION)
def test_the_variants_are_all_that_torchvision_has(kind):
    if "variant" in KINDS[kind].model_fields:
        known = get_args(KINDS[kind].model_fields["variant"].annotation)
        family = {"resnet": ("resnet", "resnext", "wide_resnet")}.get(kind, (kind,))
        assert set(known) == {
            name for name in torchvision.models.list_models(torchvision.models) if name.startswith(family)
        }
    else:
        assert kind in torchvision.models.list_models(torchvision.models)


def test_the_resnet_of_small_images_is_the_one_of_the_cifar_literature():
    network = build(Resnet(kind="resnet"), (3, 32, 32), num_outputs=10)

    assert sum(weight.numel() for weight in network.parameters()) == 11_173_962


def test_weights_for_grey_images_are_drawn_as_torchvision_draws_its_own():
    torch.manual_seed(0)
    network = build_network(Mobilenet(kind="mobilenet"), ImageShape(1, 16, 16), 3)
    filters = next(network.parameters())

    assert filters.shape == (16, 1, 3, 3)
    assert filters.std().item() == pytest.approx((2 / (16 * 9)) ** 0.5, rel=0.2)  # Kaiming, by the outputs


@pytest.mark.parametrize(("height", "width", "patch", "patches"), [(8, 8, 1, 64), (28, 28, 2, 196), (20, 30, 2, 225)])
def test_the_patches_of_a_small_image_are_at_most_an_eighth_of_it(height, width, patch, patches):
    network = build(small("vit"), (1, height, width))

    assert network.body.patches.conv_proj.kernel_size == (patch, patch)
    assert network.body.patches.pos_embedding.shape[1] == 1 + patches


def test_few_outputs_do_not_begin_far_off():
    # torchvision draws the weights of its last layer from [-1, 1] where there is one output
    one = build_network(Efficientnet(kind="efficientnet"), ImageShape(1, 16, 16), 1)
    many = build_network(Efficientnet(kind="efficientnet"), ImageShape(1, 16, 16), 100)
    assert float(one.head.weight.detach().std()) == pytest.approx(float(many.head.weight.detach().std()), rel=0.1)
    assert float(one.head.weight.detach().abs().max()) < 0.05


def test_what_dropout_asks_reaches_the_network():
    for kind in ("alexnet", "vgg", "googlenet", "mobilenet", "efficientnet"):
        network = build(small(kind, dropout=0.3), (1, 32, 32))
        assert {layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)} == {0.3}, kind
    dense = build(small("densenet", drop_rate=0.3), (1, 32, 32))
    assert dense.body.denseblock1.denselayer1.drop_rate == 0.3
    deep = build(small("convnext", stochastic_depth_prob=0.3), (1, 32, 32))
    assert max(layer.p for layer in deep.modules() if isinstance(layer, torchvision.ops.StochasticDepth)) == 0.3


def test_a_vit_whose_heads_cannot_share_its_width_is_refused():
    with pytest.raises(ValueError, match="hidden_dim: 100 cannot be shared by 12 heads"):
        Vit(kind="vit", hidden_dim=100)
