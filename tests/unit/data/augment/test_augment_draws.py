"""The random numbers of the augmentation: even, independent, and a function of what they are asked for.

All of it is the same in every run, so a limit on how unlikely a result may be is never crossed by chance.
"""

import itertools
import math

import pytest
import torch
from scipy import special

from snaketorch.config.augment import Augment
from snaketorch.config.contents import IMAGES
from snaketorch.data.augment import build_augmentation
from snaketorch.data.augment.beta import Beta
from snaketorch.data.augment.draws import Draws, below, bits_at, bits_of, normal_at, uniform

COUNT = 2**14
UNLIKELY = 1e-3
CHOICES = [{}, {"seed": 1}, {"seed": 2**31}, {"epoch": 1}, {"epoch": 7}, {"name": "scale"}]


def drawn(seed=0, epoch=0, name="angle", count=COUNT):
    return uniform(bits_of(Draws(seed).states(torch.arange(count), epoch), name)).double()


def evenness(cells: torch.Tensor, count: int) -> float:
    """Chance that numbers of ``count`` equally likely cells are as uneven as these (chi-square)."""
    expected = len(cells) / count
    found = torch.bincount(cells, minlength=count).double()
    return special.chdtrc(count - 1, float(((found - expected) ** 2 / expected).sum()))


def agreement(values: torch.Tensor) -> float:
    """Chance that values of an even distribution over [0, 1] are as far from it as these (Kolmogorov and Smirnov)."""
    values, place = values.sort().values, torch.arange(len(values) + 1) / len(values)
    apart = torch.maximum((values - place[:-1]).abs().max(), (values - place[1:]).abs().max())
    return special.kolmogorov(float(apart) * math.sqrt(len(values)))


def cells(values: torch.Tensor, count: int) -> torch.Tensor:
    return (values * count).long()


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_draws_are_uniform(choice):
    values = drawn(**choice)
    assert values.min() >= 0 and values.max() < 1
    assert evenness(cells(values, 256), 256) > UNLIKELY
    assert agreement(values) > UNLIKELY


@pytest.mark.parametrize("pair", list(itertools.combinations(CHOICES, 2)), ids=str)
def test_draws_of_another_seed_epoch_or_name_tell_nothing(pair):
    first, second = (cells(drawn(**choice), 16) for choice in pair)
    assert evenness(first * 16 + second, 256) > UNLIKELY


@pytest.mark.parametrize("by", [1, 2, 3, 8, 256])
def test_draws_of_neighbours_tell_nothing(by):
    place = cells(drawn(), 16)
    assert evenness(place[by:] * 16 + place[:-by], 256) > UNLIKELY


def test_one_sample_has_uniform_draws_over_the_epochs_the_seeds_and_the_positions():
    one = torch.tensor([5])
    epochs = torch.cat([bits_of(Draws(0).states(one, epoch), "angle") for epoch in range(600)])
    seeds = torch.cat([bits_of(Draws(seed).states(one, 0), "angle") for seed in range(600)])
    positions = bits_at(Draws(0).states(one, 0), "noise", COUNT)[0]
    for bits in (epochs, seeds, positions):
        values = uniform(bits).double()
        assert agreement(values) > UNLIKELY
        place = cells(values, 8)
        assert evenness(place[1:] * 8 + place[:-1], 64) > UNLIKELY


def test_no_sample_meets_the_draws_of_another_sample_epoch_or_seed():
    states = [Draws(seed).states(torch.arange(64), epoch) for seed in range(8) for epoch in range(32)]
    assert len(torch.cat(states).unique()) == 8 * 32 * 64


def test_every_bit_is_as_often_one_as_zero_and_turns_over_with_the_sample():
    bits = bits_of(Draws(0).states(torch.arange(COUNT), 0), "angle")
    for bit in range(64):
        ones = bits >> bit & 1
        assert abs(ones.double().mean() - 0.5) < 2.5 / math.sqrt(COUNT)
        assert abs((ones[1:] ^ ones[:-1]).double().mean() - 0.5) < 2.5 / math.sqrt(COUNT)


def test_normal_draws_are_normal_and_those_of_one_pair_tell_nothing_of_each_other():
    values = normal_at(Draws(0).states(torch.arange(COUNT // 64), 0), "noise", 64).double()
    share = torch.from_numpy(special.ndtr(values.numpy()))
    assert agreement(share.flatten()) > UNLIKELY
    first, second = (cells(share[:, part], 16).flatten() for part in (slice(0, 16), slice(16, 32)))
    assert evenness(first * 16 + second, 256) > UNLIKELY
    assert values.abs().max() < 5.8 and abs((values**4).mean() - 3) < 0.2


@pytest.mark.parametrize("count", [2, 3, 10, 1000])
def test_partners_are_drawn_evenly(count):
    drawn = below(bits_of(Draws(0).states(torch.arange(COUNT), 0), "partner"), count)
    assert drawn.min() >= 0 and drawn.max() < count
    assert evenness(drawn, count) > UNLIKELY


def test_a_draw_depends_on_its_sample_and_position_alone():
    samples = torch.tensor([5, 900, 3, 77])
    for draw in (bits_at, normal_at):
        together = draw(Draws(4).states(samples, 2), "noise", 100)
        for row, sample in enumerate(samples):
            for count in (1, 3, 33):
                alone = draw(Draws(4).states(sample[None], 2), "noise", count)
                assert alone.shape == (1, count) and torch.equal(alone[0], together[row, :count])
    assert len(bits_at(Draws(4).states(samples, 2), "noise", 100).unique()) == 400


@pytest.mark.parametrize("key", ["horizontal_flip", "vertical_flip"])
@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_the_share_of_flipped_images_is_the_one_asked_for(key, share):
    images = torch.tensor([[0, 255], [0, 255]], dtype=torch.uint8).expand(COUNT, 1, 2, 2)
    images = images if key == "horizontal_flip" else images.transpose(2, 3)
    fields = {"image": {"statistics": {"mean": [0.0], "std": [1.0]}}}
    augmentation = build_augmentation(Augment(**{key: share}), IMAGES, fields, 0)
    flipped = augmentation({"image": images, "sample": torch.arange(COUNT)}, 0)["image"][:, 0, 0, 0]
    assert abs(flipped.double().mean() - share) <= 3 * math.sqrt(share * (1 - share) / COUNT)


@pytest.mark.parametrize("alpha", [0.1, 0.2, 0.4, 1.0, 2.0, 32.0])
def test_shares_of_a_mixture_follow_the_quantiles_of_beta(alpha):
    drawn = torch.arange(1, 10_000, dtype=torch.float64) / 10_000
    found = Beta(alpha)(drawn.float()).double()
    expected = torch.from_numpy(special.betaincinv(alpha, alpha, drawn.numpy()))
    inner = (drawn > 0.01) & (drawn < 0.99)
    torch.testing.assert_close(found[inner], expected[inner], atol=1e-4, rtol=0)
    # the share of the distribution that lies below a value is the number it was made of, but for float32 next to 1
    least, share, most = (
        torch.from_numpy(special.betainc(alpha, alpha, (found + by).clamp(0, 1).numpy())) for by in (-6e-8, 0, 6e-8)
    )
    assert ((share - drawn).abs() < 1 / 4096 + most - least).all() and (found.diff() >= 0).all()


@pytest.mark.parametrize("alpha", [0.2, 1.0])
@pytest.mark.parametrize("key", ["mixup", "cutmix"])
def test_what_is_left_of_a_sample_follows_beta(alpha, key):
    count = 4096
    images = torch.zeros(2 * count, 1, 16, 16, dtype=torch.uint8)
    fields = {"image": {"statistics": {"mean": [0.0], "std": [1.0]}}}
    augmentation = build_augmentation(Augment(**{key: alpha}), IMAGES, fields, 0)
    rows = augmentation.fetch(torch.arange(count), 0, count)
    share = augmentation({"image": images, "label": rows, "sample": rows}, 0)["mixed_share"].double()
    if key == "mixup":
        assert agreement(torch.from_numpy(special.betainc(alpha, alpha, share.numpy()))) > UNLIKELY
    else:  # a rectangle is of whole pixels, and part of it may lie outside
        assert 0.5 < share.mean() < 0.75 and share.min() >= 0 and share.max() == 1
