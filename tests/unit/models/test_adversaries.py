import pytest
import torch

from snaketorch.config.models import DcGan, Gan
from snaketorch.errors import UserError
from snaketorch.models import build_network
from snaketorch.models.shapes import ImageShape

SIZES = [ImageShape(1, 8, 8), ImageShape(1, 28, 28), ImageShape(3, 9, 13), ImageShape(3, 64, 31)]


def dense_sizes(network) -> list[tuple[int, int]]:
    return [
        (layer.in_features, layer.out_features) for layer in network.modules() if isinstance(layer, torch.nn.Linear)
    ]


def test_the_default_gan_is_the_classic_one():
    pair = build_network(Gan(kind="gan"), ImageShape(1, 28, 28), 10)
    assert dense_sizes(pair.generator) == [(100, 256), (256, 784)]
    assert dense_sizes(pair.discriminator) == [(784, 256), (256, 1)]


@pytest.mark.parametrize("shape", SIZES, ids=str)
@pytest.mark.parametrize("conditional", [False, True], ids=["free", "conditional"])
@pytest.mark.parametrize(
    ("kind", "norm"),
    [(Gan, "none"), (Gan, "spectral"), (DcGan, "none"), (DcGan, "spectral"), (DcGan, "batch")],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_pair_makes_and_judges_images_of_any_size(kind, norm, conditional, shape):
    options = {"kind": kind.__name__.lower(), "latent": 7, "conditional": conditional, "discriminator_norm": norm}
    small = {"hidden": [16]} if kind is Gan else {"channels": [8, 4, 4]}
    pair = build_network(kind(**options, **small), shape, 5)
    label = torch.tensor([0, 4, 2]) if conditional else None
    image = pair(torch.randn(3, 7), label)
    assert image.shape == (3, *shape)
    assert image.abs().max() <= 1
    assert pair.discriminator(image, label).shape == (3,)
    assert (pair.latent, pair.conditional) == (7, conditional)


@pytest.mark.parametrize("kind", [Gan, DcGan], ids=["gan", "dcgan"])
def test_a_conditional_pair_heeds_the_class(kind):
    pair = build_network(kind(kind=kind.__name__.lower(), conditional=True), ImageShape(1, 8, 8), 3).eval()
    noise, image = torch.randn(1, 100), torch.rand(1, 1, 8, 8)
    one, other = torch.tensor([0]), torch.tensor([1])
    assert not torch.equal(pair(noise, one), pair(noise, other))
    assert not torch.equal(pair.discriminator(image, one), pair.discriminator(image, other))


@pytest.mark.parametrize("kind", [Gan, DcGan], ids=["gan", "dcgan"])
def test_spectral_normalisation_bounds_every_matrix_of_the_discriminator(kind):
    options = kind(kind=kind.__name__.lower(), discriminator_norm="spectral")
    pair = build_network(options, ImageShape(1, 8, 8), 3)
    for _ in range(60):  # an iteration to the largest singular value with each call
        pair.discriminator(torch.rand(2, 1, 8, 8))
    layers = [layer for layer in pair.discriminator.modules() if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d)]
    assert len(layers) > 1
    for layer in layers:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.05)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in pair.discriminator.modules())


def test_the_scores_of_a_bounded_discriminator_do_not_depend_on_the_batch():
    pair = build_network(DcGan(kind="dcgan", discriminator_norm="none"), ImageShape(1, 8, 8), 3)
    images = torch.rand(4, 1, 8, 8)
    torch.testing.assert_close(pair.discriminator(images)[:2], pair.discriminator(images[:2]))


@pytest.mark.parametrize(
    ("shape", "channels", "message"),
    [
        (ImageShape(1, 7, 20), [8], "at least 8x8 pixels, but these have 7x20"),
        (ImageShape(1, 15, 15), [8, 8, 8, 8], "at least 16x16 .* or fewer blocks"),
    ],
)
def test_images_that_are_too_small_are_refused(shape, channels, message):
    with pytest.raises(UserError, match=message):
        build_network(DcGan(kind="dcgan", channels=channels), shape, 3)
