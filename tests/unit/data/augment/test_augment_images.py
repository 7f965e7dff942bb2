import math

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torchvision.transforms.v2 import functional as reference

from snaketorch.config.augment import Augment, RandAugment
from snaketorch.config.contents import CLIPS, IMAGES
from snaketorch.data.augment import build_augmentation
from snaketorch.errors import UserError

MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.25, 0.3]
FIELDS = {"image": {"shape": [3, 12, 20], "statistics": {"mean": MEAN, "std": STD}}}
CONTINUOUS = [
    {"rotate": 15.0},
    {"scale": [0.5, 1.5]},
    {"shear": 10.0},
    {"translate": 0.2},
    {"perspective": 0.5},
    {"resized_crop": [0.3, 1.0]},
    {"brightness": 0.4},
    {"contrast": 0.4},
    {"saturation": 0.4},
    {"hue": 0.1},
    {"noise": 0.1},
]
ALL = [
    *CONTINUOUS,
    {"horizontal_flip": 0.5, "vertical_flip": 0.5, "pad_crop": 4},
    {"blur": 1.0, "blur_sigma": [0.5, 2.0]},
    {"erase": 1.0},
    {"grayscale": 0.5},
    {"rand_augment": RandAugment()},
    {"trivial_augment": True},
    {"mixup": 0.4, "cutmix": 1.0},
]


def pictures(count: int, shape=(3, 12, 20)) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=generator)


def augmented(options: dict, images: torch.Tensor, sample=None, epoch: int = 0, seed: int = 0) -> torch.Tensor:
    sample = torch.arange(len(images)) if sample is None else sample
    batch = {"image": images, "label": sample, "sample": sample}
    return build_augmentation(Augment(**options), IMAGES, FIELDS, seed)(batch, epoch)["image"]


def raw(images: torch.Tensor) -> torch.Tensor:
    """Normalised images as values from 0 to 255."""
    return (images * torch.tensor(STD).view(-1, 1, 1) + torch.tensor(MEAN).view(-1, 1, 1)) * 255


@pytest.mark.parametrize("options", CONTINUOUS, ids=lambda options: next(iter(options)))
def test_equal_images_all_come_out_different(options):
    same = pictures(1).expand(64, -1, -1, -1)
    assert len(torch.unique(augmented(options, same), dim=0)) == 64


@pytest.mark.parametrize("options", ALL, ids=lambda options: next(iter(options)))
def test_equal_seeds_give_equal_bits_and_other_epochs_and_seeds_do_not(options):
    images = pictures(16)
    first = augmented(options, images)
    assert torch.equal(first, augmented(options, images))
    assert not torch.equal(first, augmented(options, images, epoch=1))
    assert not torch.equal(first, augmented(options, images, seed=1))


@pytest.mark.parametrize("options", ALL[:-1], ids=lambda options: next(iter(options)))
def test_a_sample_does_not_depend_on_its_batch(options):
    images, order = pictures(16), torch.randperm(16, generator=torch.Generator().manual_seed(1))
    whole = augmented(options, images)
    parts = [augmented(options, images[part], sample=part) for part in order.split([1, 5, 10])]
    # not bit for bit: the products of colour and blur may add up in another order
    torch.testing.assert_close(torch.cat(parts), whole[order], atol=1e-5, rtol=1e-5)


def test_flips_and_moves_by_pixels_keep_every_value_and_depend_on_nothing_else():
    images = pictures(64)
    options = {"horizontal_flip": 0.5, "vertical_flip": 0.5, "pad_crop": 3}
    found = raw(augmented(options, images)).round().to(torch.uint8)
    seen = set()
    for image, result in zip(images, found, strict=True):
        matches = []
        for axes in ([], [2], [1], [1, 2]):
            wide = torch.nn.functional.pad(image.flip(axes), (3,) * 4)
            for top in range(7):
                for left in range(7):
                    if torch.equal(wide[:, top : top + 12, left : left + 20], result):
                        matches.append((tuple(axes), top, left))
        assert len(matches) == 1
        seen.add(matches[0])
    assert len(seen) > 45
    assert torch.equal(augmented(options, images[5:6], torch.tensor([5])), augmented(options, images)[5:6])


@pytest.mark.parametrize("mode", ["zeros", "border", "reflection"])
def test_the_two_ways_to_move_pixels_agree(mode):
    images = pictures(32)
    options = {"horizontal_flip": 0.5, "vertical_flip": 0.5, "pad_crop": 3, "padding_mode": mode}
    exact = augmented(options, images)
    resampled = augmented({**options, "rotate": 1e-9}, images)
    torch.testing.assert_close(resampled, exact, atol=2e-3, rtol=0)


def test_a_rotation_shows_the_places_that_float64_says():
    """A picture whose values are its coordinates shows where each value came from."""
    x, y = torch.meshgrid(torch.arange(20) * 8, torch.arange(12) * 8, indexing="xy")
    images = torch.stack([x, y, torch.full_like(x, 255)]).to(torch.uint8).expand(32, -1, -1, -1)
    found = raw(augmented({"rotate": 40.0}, images)).double()
    angles = []
    for picture in found:
        inside = picture[2] > 254.9
        place = torch.stack([x[inside] / 8 - 9.5, y[inside] / 8 - 5.5]).double()
        source = torch.stack([picture[0][inside] / 8 - 9.5, picture[1][inside] / 8 - 5.5])
        cross = (place[0] * source[1] - place[1] * source[0]).sum()
        angle = math.atan2(cross, (place * source).sum())
        cos, sin = math.cos(angle), math.sin(angle)
        expected = torch.stack([cos * place[0] - sin * place[1], sin * place[0] + cos * place[1]])
        torch.testing.assert_close(source, expected, atol=1e-2, rtol=0)
        angles.append(math.degrees(angle))
    assert max(map(abs, angles)) <= 40 and max(angles) > 15 and min(angles) < -15


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
def test_colours_change_as_in_torchvision(name):
    """The factor of each sample is found from the result: it must be one that torchvision agrees with."""
    images = pictures(8) // 2 + 64  # so that no factor leaves [0, 1]
    found = raw(augmented({name: 0.2}, images)) / 255
    adjust = getattr(reference, f"adjust_{name}")
    factors = []
    for image, result in zip(images.float() / 255, found, strict=True):
        low = adjust(image, 0.0)
        factor = float(((result - low) * (image - low)).sum() / (image - low).square().sum())
        torch.testing.assert_close(result, adjust(image, factor), atol=1e-3, rtol=0)
        factors.append(factor)
    assert 0.8 <= min(factors) < 1 < max(factors) <= 1.2


def test_grey_samples_have_no_colour_and_their_share_is_kept():
    found = raw(augmented({"grayscale": 0.3}, pictures(400)))
    grey = (found - found.mean(1, keepdim=True)).abs().amax((1, 2, 3)) < 0.01
    assert 0.22 < grey.float().mean() < 0.38


def test_an_erased_rectangle_is_the_mean_and_as_large_as_asked():
    erased = augmented({"erase": 1.0, "erase_scale": [0.2, 0.4]}, pictures(64)) == 0
    share = erased.all(1).float().mean((1, 2))
    assert share.min() > 0.1 and share.max() < 0.5


def test_mixed_samples_say_what_is_left_of_themselves():
    images = torch.arange(40, dtype=torch.uint8).view(-1, 1, 1, 1).expand(40, 3, 12, 20) * 6
    for options in ({"cutmix": 1.0}, {"mixup": 0.4}, {"mixup": 0.4, "cutmix": 1.0}):
        augmentation = build_augmentation(Augment(**options), IMAGES, FIELDS, 0)
        rows = augmentation.fetch(torch.arange(32), 3, 40)
        assert rows.shape == (64,) and rows.max() < 40 and torch.equal(rows[:32], torch.arange(32))
        assert torch.equal(rows[39:40], augmentation.fetch(torch.tensor([7]), 3, 40)[1:])
        batch = augmentation({"image": images[rows], "label": rows, "sample": rows}, 3)
        assert torch.equal(batch["label"], rows[:32]) and torch.equal(batch["mixed_label"], rows[32:])
        share = batch["mixed_share"]
        expected = share * rows[:32] * 6 + (1 - share) * rows[32:] * 6
        torch.testing.assert_close(raw(batch["image"]).mean((1, 2, 3)), expected, atol=1e-2, rtol=0)
        assert share.unique().numel() > 20 and share.min() >= 0 and share.max() <= 1


def test_the_frames_of_a_clip_stay_together():
    frame = pictures(8).unsqueeze(1).expand(-1, 4, -1, -1, -1)
    options = Augment(horizontal_flip=0.5, rotate=20.0, brightness=0.3, hue=0.1, blur=0.5, erase=0.5, mixup=1.0)
    fields = {"clip": {"shape": [4, 3, 12, 20], "statistics": {"mean": MEAN, "std": STD}}}
    sample = torch.arange(8)
    batch = {"clip": frame, "label": sample, "sample": sample}
    clips = build_augmentation(options, CLIPS, fields, 0)(batch, 0)["clip"]
    assert clips.shape == (4, 4, 3, 12, 20)
    torch.testing.assert_close(clips, clips[:, :1].expand_as(clips), atol=1e-5, rtol=0)


def test_one_channel_has_no_colour_to_change():
    fields = {"image": {"statistics": {"mean": [0.5], "std": [0.2]}}}
    images, sample = pictures(8, (1, 12, 20)), torch.arange(8)
    options = Augment(saturation=0.5, hue=0.5, grayscale=0.5)
    found = build_augmentation(options, IMAGES, fields, 0)({"image": images, "sample": sample}, 0)["image"]
    torch.testing.assert_close(found, (images / 255 - 0.5) / 0.2, atol=1e-5, rtol=0)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("options", ALL, ids=lambda options: next(iter(options)))
def test_the_host_never_waits_for_a_value(options, device):
    """Fake tensors have no values: whatever asks for one, or for a shape that depends on one, raises."""
    with FakeTensorMode():
        images = torch.empty(16, 3, 12, 20, dtype=torch.uint8, device=device)
        sample = torch.empty(16, dtype=torch.int64, device=device)
        augmentation = build_augmentation(Augment(**options), IMAGES, FIELDS, 0)
        found = augmentation({"image": images, "label": sample, "sample": sample}, 0)["image"]
        assert found.device.type == device and found.dtype == torch.float32


def test_a_key_without_meaning_is_refused():
    with pytest.raises(UserError, match="time_shift has no meaning for labelled images"):
        build_augmentation(Augment(time_shift=2), IMAGES, FIELDS, 0)
