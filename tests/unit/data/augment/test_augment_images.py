import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

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
POLICIES = {"rand_augment", "trivial_augment"}


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


def test_grey_samples_have_no_colour_and_their_share_is_kept():
    found = raw(augmented({"grayscale": 0.3}, pictures(400)))
    grey = (found - found.mean(1, keepdim=True)).abs().amax((1, 2, 3)) < 0.01
    assert 0.22 < grey.float().mean() < 0.38


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


@pytest.mark.parametrize(
    "options",
    [
        {"horizontal_flip": 0.5, "vertical_flip": 0.5, "pad_crop": 4},
        {name: value for options in ALL if not options.keys() & POLICIES for name, value in options.items()},
        {"rand_augment": RandAugment(), "padding_mode": "reflection"},
        {"trivial_augment": True, "brightness": 0.4, "cutmix": 1.0},
    ],
    ids=["whole_pixels", "everything", "rand_augment", "trivial_augment"],
)
def test_the_host_never_waits_for_a_value(options):
    """Fake tensors have no values: whatever asks for one, or for a shape that depends on one, raises."""
    with FakeTensorMode():
        images = torch.empty(16, 3, 12, 20, dtype=torch.uint8, device="cuda")
        sample = torch.empty(16, dtype=torch.int64, device="cuda")
        augmentation = build_augmentation(Augment(**options), IMAGES, FIELDS, 0)
        found = augmentation({"image": images, "label": sample, "sample": sample}, 0)["image"]
        assert found.device.type == "cuda" and found.dtype == torch.float32


def test_a_key_without_meaning_is_refused():
    with pytest.raises(UserError, match="time_shift has no meaning for labelled images"):
        build_augmentation(Augment(time_shift=2), IMAGES, FIELDS, 0)
