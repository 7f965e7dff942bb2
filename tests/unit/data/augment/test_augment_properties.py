"""What holds for every set of options, size of images and batch; Hypothesis tries some of them."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snaketorch.config.augment import Augment, RandAugment
from snaketorch.config.contents import CLIPS, IMAGES
from snaketorch.data.augment import build_augmentation

EVERY = settings(max_examples=20, deadline=None, derandomize=True)
STATISTICS = {"mean": [0.5, 0.4, 0.3, 0.2], "std": [0.2, 0.25, 0.3, 0.35]}

ANY = st.fixed_dictionaries(
    {},
    optional={
        "horizontal_flip": st.just(0.5),
        "vertical_flip": st.just(0.5),
        "rotate": st.just(30.0),
        "scale": st.just([0.7, 1.4]),
        "shear": st.just(20.0),
        "translate": st.just(0.3),
        "perspective": st.just(0.5),
        "resized_crop": st.just([0.3, 1.0]),
        "pad_crop": st.integers(0, 12),
        "padding_mode": st.sampled_from(["zeros", "border", "reflection"]),
        "interpolation": st.sampled_from(["bilinear", "nearest"]),
        "brightness": st.just(0.4),
        "contrast": st.just(0.4),
        "saturation": st.just(0.4),
        "hue": st.just(0.5),
        "grayscale": st.just(0.3),
        "blur": st.just(0.5),
        "noise": st.just(0.1),
        "erase": st.just(0.5),
        "mixup": st.just(0.3),
        "cutmix": st.just(1.0),
    },
)
POLICY = st.sampled_from([{}, {}, {"rand_augment": RandAugment(num_ops=3)}, {"trivial_augment": True}])
SHAPES = st.tuples(st.sampled_from([None, 1, 3]), st.sampled_from([1, 3, 4]), st.integers(1, 9), st.integers(1, 9))
# one of them is enough for no two draws to give the same
CONTINUOUS = [
    {"rotate": 30.0},
    {"scale": [0.7, 1.4]},
    {"shear": 20.0},
    {"translate": 0.3},
    {"perspective": 0.5},
    {"resized_crop": [0.3, 1.0]},
    {"brightness": 0.4},
    {"contrast": 0.4},
    {"noise": 0.1},
]


def pictures(count: int, shape) -> torch.Tensor:
    frames, *rest = shape
    size = (count, *rest) if frames is None else (count, frames, *rest)
    return torch.randint(0, 256, size, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def augmented(options: dict, images: torch.Tensor, order=None, seed: int = 0, epoch: int = 0) -> torch.Tensor:
    """The samples of ``images`` that ``order`` names, as one batch."""
    order = torch.arange(len(images)) if order is None else torch.as_tensor(order)
    channels = images.shape[-3]
    key, content = ("image", IMAGES) if images.ndim == 4 else ("clip", CLIPS)
    fields = {key: {"statistics": {name: values[:channels] for name, values in STATISTICS.items()}}}
    augmentation = build_augmentation(Augment(**options), content, fields, seed)
    rows = augmentation.fetch(order, epoch, len(images))
    return augmentation({key: images[rows], "label": rows, "sample": rows}, epoch)[key]


@given(ANY, POLICY, SHAPES)
@EVERY
def test_every_result_has_its_shape_and_finite_values_within_black_and_white(options, policy, shape):
    images = pictures(5, shape)
    before = images.clone()
    found = augmented({**options, **policy}, images)
    assert found.shape == images.shape and found.dtype == torch.float32 and torch.equal(images, before)
    mean, std = (torch.tensor(values[: shape[1]]).view(-1, 1, 1) for values in STATISTICS.values())
    values = found * std + mean
    assert values.min() > -1e-4 and values.max() < 1 + 1e-4


@given(ANY, POLICY, SHAPES, st.permutations(range(7)), st.lists(st.integers(0, 7), max_size=3))
@EVERY
def test_order_size_and_parts_of_a_batch_change_no_sample(options, policy, shape, order, cuts):
    if policy:
        # what blurs may add up in another order, and a policy may make more of a hair's breadth
        options = {name: value for name, value in options.items() if name != "blur"}
    images, options = pictures(7, shape), {**options, **policy}
    whole = augmented(options, images)
    ends = [0, *sorted(cuts), 7]
    parts = [augmented(options, images, order[i:j]) for i, j in itertools.pairwise(ends) if i < j]
    torch.testing.assert_close(torch.cat(parts), whole[order], atol=1e-5, rtol=1e-5)


@given(ANY, POLICY, SHAPES, st.integers(0, 2**40), st.integers(0, 10_000))
@EVERY
def test_equal_seeds_and_epochs_give_equal_bits(options, policy, shape, seed, epoch):
    images, options = pictures(4, shape), {**options, **policy}
    again = augmented(options, images, seed=seed, epoch=epoch)
    assert torch.equal(augmented(options, images, seed=seed, epoch=epoch), again)


@given(st.sampled_from(CONTINUOUS), ANY, st.sampled_from([None, 2]), st.sampled_from([1, 3, 4]))
@EVERY
def test_equal_images_all_come_out_different(continuous, options, frames, channels):
    same = pictures(1, (frames, channels, 9, 8)).repeat(16, *[1] * (3 if frames is None else 4))
    # whole pixels may all move out of the picture, and hardly differ by the nearest of others
    options = {name: value for name, value in options.items() if name not in ("interpolation", "pad_crop", "erase")}
    found = augmented({**options, **continuous}, same)
    assert len(torch.unique(found, dim=0)) == 16


@given(SHAPES)
@EVERY
def test_strengths_of_zero_change_nothing(shape):
    images = pictures(6, shape)
    plain = augmented({}, images)
    mean, std = (torch.tensor(values[: shape[1]]).view(-1, 1, 1) for values in STATISTICS.values())
    torch.testing.assert_close(plain, (images / 255 - mean) / std, atol=1e-5, rtol=0)
    for nothing in (
        {"scale": [1.0, 1.0]},
        {"rotate": 1e-12, "shear": 1e-12, "translate": 1e-12, "perspective": 1e-12},
        {"resized_crop": [1.0, 1.0], "resized_crop_ratio": [shape[3] / shape[2]] * 2},
        {"brightness": 1e-12, "contrast": 1e-12, "saturation": 1e-12, "hue": 1e-12, "grayscale": 1e-12},
        {"blur": 1.0, "blur_sigma": [1e-3, 1e-3]},
        {"noise": 1e-12, "erase": 1e-12, "horizontal_flip": 1e-12, "vertical_flip": 1e-12},
    ):
        torch.testing.assert_close(augmented(nothing, images), plain, atol=1e-4, rtol=0)


@pytest.mark.parametrize("key", ["horizontal_flip", "vertical_flip", "grayscale", "erase", "blur"])
def test_a_share_of_one_is_all_of_them_and_of_none_is_none(key):
    images = pictures(50, (None, 3, 6, 7))
    plain = augmented({}, images)
    strong = {"blur_sigma": [1.0, 2.0]} if key == "blur" else {}
    changed = (augmented({key: 1.0, **strong}, images) - plain).abs().flatten(1).amax(1) > 1e-2
    assert changed.all()
    torch.testing.assert_close(augmented({key: 1e-9, **strong}, images), plain, atol=1e-5, rtol=0)
