"""Batches against the same changes of one sample after the other, in float64 and by torchvision."""

import math

import augment_reference as reference
import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as torchvision

from snaketorch.config.augment import Augment
from snaketorch.config.contents import IMAGES
from snaketorch.data.augment import build_augmentation
from snaketorch.data.augment.colour import ColourMap
from snaketorch.data.augment.filters import blurred, sharpened
from snaketorch.data.augment.geometry import Geometry, warped

MEAN, STD = [0.5, 0.4, 0.3, 0.2], [0.2, 0.25, 0.3, 0.35]
BILINEAR = InterpolationMode.BILINEAR

MOVES = [
    {"horizontal_flip": 0.5},
    {"vertical_flip": 0.5},
    {"rotate": 180.0},
    {"scale": [0.5, 1.5]},
    {"shear": 40.0},
    {"translate": 0.5},
    {"perspective": 0.6},
    {"resized_crop": [0.1, 1.0]},
    {"pad_crop": 5},
]
COLOURS = [{"brightness": 0.9}, {"contrast": 1.5}, {"saturation": 1.5}, {"hue": 0.5}, {"grayscale": 0.5}]
OTHERS = [{"blur": 0.5}, {"blur": 0.5, "blur_sigma": [2.0, 5.0]}, {"erase": 0.7, "erase_scale": [0.02, 0.9]}]


def together(*options: dict) -> dict:
    return {name: value for part in options for name, value in part.items()}


SEVERAL = [
    together(*MOVES),
    together(*MOVES, {"padding_mode": "reflection"}),
    together(*MOVES[:-3], {"padding_mode": "border"}),
    together(*COLOURS),
    together({"horizontal_flip": 0.5, "rotate": 15.0, "pad_crop": 2, "blur": 0.5, "erase": 0.5}, *COLOURS),
]


def pictures(count: int, *shape: int) -> torch.Tensor:
    """Smooth enough that a place that is off by a hair gives a value that is off by a hair."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(count, shape[0], 4, 4, generator=generator) * 255
    smooth = torch.nn.functional.interpolate(coarse, shape[1:], mode="bicubic")
    return smooth.clamp(0, 255).round().to(torch.uint8)


def both_ways(options: dict, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """By the package, and by the reference; normalised."""
    channels, options = images.shape[1], Augment(**options)
    mean, std = MEAN[:channels], STD[:channels]
    fields = {"image": {"statistics": {"mean": mean, "std": std}}}
    augmentation = build_augmentation(options, IMAGES, fields, 3)
    sample = torch.arange(len(images)) * 1000
    found = augmentation({"image": images, "sample": sample}, 2)["image"]
    drawn = augmentation.draws.uniform(augmentation.draws.states(sample, 2))
    expected = [
        reference.augmented(image.numpy(), options, {name: float(of[number]) for name, of in drawn.items()}, mean, std)
        for number, image in enumerate(images)
    ]
    return found, torch.from_numpy(np.stack(expected)).float()


@pytest.mark.parametrize("options", [*MOVES, *COLOURS, *OTHERS, *SEVERAL], ids=lambda options: "+".join(options)[:40])
def test_a_batch_comes_out_as_the_float64_reference_says(options):
    found, expected = both_ways(options, pictures(6, 3, 9, 13))
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize("channels", [1, 4])
def test_images_of_any_number_of_channels_follow_the_reference(channels):
    found, expected = both_ways(SEVERAL[-1], pictures(6, channels, 9, 13))
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize("mode", ["zeros", "border", "reflection"])
def test_the_nearest_pixel_is_taken_where_asked(mode):
    options = {"rotate": 90.0, "translate": 0.7, "interpolation": "nearest", "padding_mode": mode}
    found, expected = both_ways(options, pictures(6, 3, 9, 13))
    # a place half-way between two pixels may be rounded to either
    assert ((found - expected).abs() < 1e-3).float().mean() > 0.995


def test_large_images_are_blurred_as_small_ones_are():
    for size in [(5, 48), (5, 49), (60, 7)]:
        found, expected = both_ways({"blur": 0.8}, pictures(4, 3, *size))
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def moved(image: torch.Tensor, options: dict, drawn: dict[str, float]) -> torch.Tensor:
    """One image (C, H, W) of floats after the moves that these draws stand for."""
    geometry = Geometry(Augment(**options))
    given = {name: torch.tensor([drawn[name]]) for name in geometry.names}
    matrices = geometry.matrix(given, *image.shape[1:])
    return warped(image[None], matrices, "bilinear", "zeros", not geometry.options.perspective)[0]


@pytest.fixture
def picture() -> torch.Tensor:
    return pictures(1, 3, 12, 16)[0].float()


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9])
def test_affine_moves_are_those_of_torchvision(picture, share):
    whole = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}
    of = 2 * share - 1
    # its angles are clockwise here, anticlockwise in `rotate`, and it shears the other way
    cases = [
        ({"rotate": 50.0}, ["rotate"], {"angle": -50 * of}),
        ({"scale": [0.5, 2.0]}, ["scale"], {"scale": 0.5 + 1.5 * share}),
        ({"translate": 0.25}, ["translate_x", "translate_y"], {"translate": [4 * of, 3 * of]}),
        ({"shear": 30.0}, ["shear_x", "shear_y"], {"shear": [-30 * of, -30 * of]}),
        (
            {"shear": 20.0, "rotate": 70.0},
            ["shear_x", "shear_y", "rotate"],
            {"shear": [-20 * of] * 2, "angle": -70 * of},
        ),
    ]
    for options, names, change in cases:
        expected = torchvision.affine(picture, **{**whole, **change}, interpolation=BILINEAR)
        found = moved(picture, options, dict.fromkeys(names, share))
        torch.testing.assert_close(found, expected, atol=0.02, rtol=0)


def test_a_perspective_is_that_of_torchvision(picture):
    drawn = {f"corner_{number}": share for number, share in enumerate((0.9, 0.1, 0.5, 0.3, 0.2, 0.8, 0.0, 0.6))}
    options = Augment(perspective=0.5)
    ends = [[x + 8, y + 6] for x, y in reference.quadrilateral(options, drawn, 12, 16)]
    expected = torchvision.perspective(picture, [[0, 0], [16, 0], [16, 12], [0, 12]], ends, interpolation=BILINEAR)
    torch.testing.assert_close(moved(picture, {"perspective": 0.5}, drawn), expected, atol=0.02, rtol=0)


def test_a_resized_crop_is_that_of_torchvision(picture):
    # rows 3 to 9 and columns 6 to 14 of 12 x 16: a quarter of the area, 4 / 3 as wide as high
    drawn = {"crop_area": 0.25, "crop_ratio": 1.0, "crop_x": 6 / 8, "crop_y": 3 / 6}
    found = moved(picture, {"resized_crop": [1e-9, 1.0], "resized_crop_ratio": [0.5, 4 / 3]}, drawn)
    expected = torchvision.resized_crop(picture, 3, 6, 6, 8, [12, 16], interpolation=BILINEAR, antialias=False)
    # along the edges torchvision sees nothing of what lies outside
    torch.testing.assert_close(found[:, 1:-1, 1:-1], expected[:, 1:-1, 1:-1], atol=0.02, rtol=0)


def recoloured(image: torch.Tensor, **changes: float) -> torch.Tensor:
    """One image of values from 0 to 1 after these changes in this order."""
    layers = image.flatten(1)[None]
    colours = ColourMap(layers.mean(2))
    for name, amount in changes.items():
        getattr(colours, name)(torch.tensor([amount]))
    one, none = torch.ones(3, 1), torch.zeros(3, 1)
    return colours.applied(layers, one, none, 1).view(image.shape)


@pytest.mark.parametrize("factor", [0.0, 0.6, 1.0, 1.3])
def test_colours_are_those_of_torchvision(picture, factor):
    image = picture / 1020 + 0.4  # so that nothing is cut off; torchvision's shares of luma have a digit less
    for name in ("brightness", "contrast", "saturation"):
        expected = getattr(torchvision, f"adjust_{name}")(image, factor)
        torch.testing.assert_close(recoloured(image, **{name: factor}), expected, atol=1e-4, rtol=0)
    chain = torchvision.adjust_contrast(torchvision.adjust_brightness(image, 0.9), factor)
    chain = torchvision.adjust_saturation(chain, 1.2)
    found = recoloured(image, brightness=0.9, contrast=factor, saturation=1.2)
    torch.testing.assert_close(found, chain, atol=1e-4, rtol=0)
    torch.testing.assert_close(
        recoloured(image, grayscale=True), torchvision.rgb_to_grayscale(image, 3), atol=1e-4, rtol=0
    )


def test_hue_turns_by_thirds_as_torchvision_does(picture):
    image = picture / 255
    for turns in (-1 / 3, 0.0, 1 / 3):
        torch.testing.assert_close(
            recoloured(image, hue=turns), torchvision.adjust_hue(image, turns), atol=1e-5, rtol=0
        )


def test_hue_is_nowhere_further_from_torchvision_than_a_third_of_the_chroma():
    edge = torch.linspace(0, 1, 60)
    up, down, full, none = edge, 1 - edge, torch.ones(60), torch.zeros(60)
    around = [(full, up, none), (down, full, none), (none, full, up), (none, down, full), (up, none, full)]
    colours = torch.stack([torch.cat(channel) for channel in zip(*around, (full, none, down), strict=True)]).unsqueeze(
        2
    )
    for turns in (-0.5, -0.25, -0.1, 0.05, 0.2, 0.4):
        apart = (recoloured(colours, hue=turns) - torchvision.adjust_hue(colours, turns)).abs().max()
        assert 0.1 < apart < 0.334


@pytest.mark.parametrize("shape", [(3, 12, 16), (3, 8, 60)])
def test_filters_are_those_of_torchvision(shape):
    images = pictures(4, *shape).float()
    sigma, factor = torch.tensor([0.3, 0.7, 1.3, 2.0]), torch.tensor([0.0, 0.5, 1.0, 1.9])
    reach = min(6, shape[1] - 1)
    expected = [torchvision.gaussian_blur(images[n], [2 * reach + 1] * 2, [float(sigma[n])] * 2) for n in range(4)]
    torch.testing.assert_close(blurred(images, sigma, 2.0), torch.stack(expected), atol=2e-3, rtol=0)
    expected = [torchvision.adjust_sharpness(images[n] / 255, float(factor[n])) * 255 for n in range(4)]
    torch.testing.assert_close(sharpened(images, factor).clamp(0, 255), torch.stack(expected), atol=2e-3, rtol=0)


def test_noise_is_normal_and_of_the_strength_asked():
    images = torch.full((40, 3, 16, 16), 128, dtype=torch.uint8)
    fields = {"image": {"statistics": {"mean": MEAN[:3], "std": STD[:3]}}}
    found = build_augmentation(Augment(noise=0.1), IMAGES, fields, 0)({"image": images, "sample": torch.arange(40)}, 0)
    scale, shift = (torch.tensor(part[:3]).view(3, 1, 1) for part in (STD, MEAN))
    noise = ((found["image"] * scale + shift - 128 / 255) / 0.1).double()
    count = noise.numel()
    assert abs(noise.mean()) < 4 / math.sqrt(count)
    torch.testing.assert_close(noise.std((0, 2, 3)), torch.ones(3).double(), atol=0.03, rtol=0)
    both = torch.corrcoef(noise.flatten(1))
    assert (both - torch.eye(40)).abs().max() < 5 / math.sqrt(count / 40)
    for axis in (2, 3):
        first, second = noise.narrow(axis, 0, 15).flatten(), noise.narrow(axis, 1, 15).flatten()
        assert abs(torch.corrcoef(torch.stack([first, second]))[0, 1]) < 4 / math.sqrt(count)
