"""RandAugment and TrivialAugment against torchvision's operations and strengths."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as torchvision

from snaketorch.config.augment import Augment, RandAugment
from snaketorch.config.contents import CLIPS, IMAGES
from snaketorch.data.augment import build_augmentation
from snaketorch.data.augment.policy import OPERATIONS, STEPS, Chosen, Policy
from snaketorch.data.augment.subset import changed
from snaketorch.data.augment.tones import equalized, stretched

FIELDS = {"statistics": {"mean": [0.0] * 3, "std": [1 / 255] * 3}}  # normalised values are bytes
BILINEAR = v2.InterpolationMode.BILINEAR
THEIRS = {
    "Identity": "identity",
    "ShearX": "shear_x",
    "ShearY": "shear_y",
    "TranslateX": "translate_x",
    "TranslateY": "translate_y",
    "Rotate": "rotate",
    "Brightness": "brightness",
    "Color": "colour",
    "Contrast": "contrast",
    "Sharpness": "sharpness",
    "Posterize": "posterize",
    "Solarize": "solarize",
    "AutoContrast": "autocontrast",
    "Equalize": "equalize",
}
POLICIES = {
    "rand_augment": ({"rand_augment": RandAugment(num_ops=1)}, v2.RandAugment(interpolation=BILINEAR)),
    "trivial_augment": ({"trivial_augment": True}, v2.TrivialAugmentWide(interpolation=BILINEAR)),
}


def pictures(count: int, *shape: int) -> torch.Tensor:
    coarse = torch.rand(count, shape[0], 4, 4, generator=torch.Generator().manual_seed(0)) * 300 - 20
    smooth = torch.nn.functional.interpolate(coarse, shape[1:], mode="bicubic")
    return smooth.clamp(0, 255).round().to(torch.uint8)


def by_torchvision(policy, image: torch.Tensor, name: str, step: int, direction: int) -> torch.Tensor:
    """One image (C, H, W) of bytes after one operation; floats from 0 to 255, unrounded where it can be."""
    table, either_way = policy._AUGMENTATION_SPACE[name]
    strengths = table(STEPS, *image.shape[1:])
    strength = 0.0 if strengths is None else float(strengths[step]) * (direction if either_way else 1)
    if name.startswith("Shear"):  # about the centre, which torchvision does not
        degrees = math.degrees(math.atan(strength))
        shear = [degrees, 0.0] if name == "ShearX" else [0.0, degrees]
        return torchvision.affine(image.float(), 0.0, [0, 0], 1.0, shear, BILINEAR)
    if name in ("Posterize", "Solarize", "Equalize"):
        return policy._apply_image_or_video_transform(image, name, strength, BILINEAR, {}).float()
    return policy._apply_image_or_video_transform(image.float() / 255, name, strength, BILINEAR, {}) * 255


def with_choice(options: dict, images: torch.Tensor, chosen: list[Chosen]) -> torch.Tensor:
    augmentation = build_augmentation(Augment(**options), IMAGES, {"image": FIELDS}, 0)
    augmentation.policy.choose = lambda drawn: chosen
    return augmentation({"image": images, "sample": torch.arange(len(images))}, 0)["image"]


def choice(operation: str, strength: torch.Tensor, direction: torch.Tensor) -> Chosen:
    return Chosen(torch.full(strength.shape, OPERATIONS.index(operation)), strength, direction)


def test_both_policies_have_the_operations_of_torchvision():
    for _, theirs in POLICIES.values():
        assert [THEIRS[name] for name in theirs._AUGMENTATION_SPACE] == list(OPERATIONS)


@pytest.mark.parametrize("name", THEIRS)
@pytest.mark.parametrize("policy", POLICIES)
def test_each_operation_is_that_of_torchvision(policy, name):
    options, theirs = POLICIES[policy]
    # at step 15 of 30 torchvision moves by int(15.999999) of 16 pixels
    step = torch.tensor([0, 1, 9, 14, 22, 30]).repeat(2)
    direction = torch.tensor([1.0, -1.0]).repeat_interleave(6)
    images = pictures(12, 3, 15, 21)
    found = with_choice(options, images, [choice(THEIRS[name], step / 30, direction)])
    expected = torch.stack(
        [by_torchvision(theirs, images[n], name, int(step[n]), int(direction[n])) for n in range(12)]
    )
    # bytes to the bit; what moves is rounded after it; colours are off by the digit that torchvision's luma lacks
    moves = name.startswith(("Shear", "Translate", "Rotate"))
    exact = name in ("Identity", "Posterize", "Solarize", "Equalize")
    torch.testing.assert_close(found, expected, atol=0 if exact else 0.52 if moves else 0.1, rtol=0)


def test_two_operations_follow_each_other():
    images = pictures(6, 3, 15, 21)
    strength, direction = torch.full((6,), 0.3), torch.ones(6)
    options = {"rand_augment": RandAugment()}
    for first, second in [("rotate", "translate_x"), ("shear_y", "rotate"), ("sharpness", "equalize")]:
        once = with_choice(options, images, [choice(first, strength, direction)]).round().to(torch.uint8)
        twice = with_choice(options, once, [choice(second, strength, direction)])
        found = with_choice(options, images, [choice(name, strength, direction) for name in (first, second)])
        # each is a little blurred by the first resampling, and less so by one for both
        assert (found - twice).abs()[..., 4:-4, 6:-6].mean() < 2, (first, second)
        assert (found - images).abs().mean() > 8, (first, second)


@pytest.mark.parametrize("policy", POLICIES)
def test_operations_strengths_and_directions_are_drawn_evenly(policy):
    options, count = Augment(**POLICIES[policy][0]), 2**15
    ours = Policy(options)
    from_draws = build_augmentation(options, IMAGES, {"image": FIELDS}, 0).draws
    chosen = ours.choose(from_draws.uniform(from_draws.states(torch.arange(count), 0)))
    assert len(chosen) == 1
    both = torch.bincount(chosen[0].operation * 2 + (chosen[0].direction > 0), minlength=28).double()
    assert special.chdtrc(27, float(((both - count / 28) ** 2 / (count / 28)).sum())) > 1e-3
    steps = (chosen[0].strength * 30).round().long()
    if policy == "rand_augment":
        assert (steps == 9).all()
    else:
        counts = torch.bincount(steps, minlength=STEPS).double()
        assert len(counts) == STEPS
        assert special.chdtrc(STEPS - 1, float(((counts - count / STEPS) ** 2 / (count / STEPS)).sum())) > 1e-3


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 1, 1), (3, 1, 255), (3, 1, 256), (1, 40, 7), (3, 16, 16)])
@pytest.mark.parametrize("levels", [1, 2, 3, 17, 255, 256])
def test_equalize_is_that_of_torchvision_to_the_bit(shape, levels):
    generator = torch.Generator().manual_seed(levels)
    images = torch.randint(0, levels, (8, *shape), generator=generator)
    images[4:] = (images[4:] ** 2 // max(1, levels - 1)) * (255 // levels)
    images = images.to(torch.uint8)
    found = equalized(images.float(), shape[0])
    assert torch.equal(found, torch.stack([torchvision.equalize(image) for image in images]).float())


@given(st.lists(st.integers(0, 255), min_size=1, max_size=600), st.integers(1, 600))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_equalize_of_any_histogram_is_that_of_torchvision(values, often):
    image = torch.tensor(values + values[:1] * often, dtype=torch.uint8).view(1, 1, -1)
    assert torch.equal(equalized(image[None].float(), 1)[0], torchvision.equalize(image).float())


def test_the_frames_of_a_clip_are_equalized_and_stretched_together():
    clips = pictures(4, 3, 12, 8).view(2, 2, 3, 12, 8).float()
    together = clips.transpose(1, 2).reshape(2, 3, 24, 8)
    for change in (equalized, stretched):
        found = change(clips.flatten(1, 2), 3).view(clips.shape)
        assert torch.equal(found.transpose(1, 2).reshape(together.shape), change(together, 3))
    augmentation = build_augmentation(Augment(trivial_augment=True), CLIPS, {"clip": FIELDS}, 0)
    augmentation.policy.choose = lambda drawn: [choice("equalize", torch.zeros(2), torch.ones(2))]
    found = augmentation({"clip": clips.to(torch.uint8), "sample": torch.arange(2)}, 0)["clip"]
    assert torch.equal(found, equalized(clips.flatten(1, 2), 3).view(clips.shape))


def test_only_the_chosen_samples_are_changed_each_by_its_own_value():
    images, factor = torch.rand(6, 2, 3, 3), torch.arange(6.0)
    chosen = torch.tensor([True, False, False, True, True, False])

    def change(some, factor):
        return some * factor.view(-1, 1, 1, 1)

    expected = torch.where(chosen.view(-1, 1, 1, 1), change(images, factor), images)
    assert torch.equal(changed(images.clone(), chosen, change, factor), expected)
    nobody = torch.zeros(6, dtype=torch.bool)
    assert torch.equal(changed(images.clone(), nobody, change, factor), images)
    assert changed(images.to("meta"), chosen.to("meta"), change, factor.to("meta")).shape == images.shape
