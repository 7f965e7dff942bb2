"""The random numbers of the augmentation: even, independent, and a function of what they are asked for."""

import pytest
import torch

from snaketorch.data.augment.draws import Draws, bits_at, bits_of, normal, uniform

COUNT = 2**16


def drawn(seed=0, epoch=0, name="angle"):
    return uniform(bits_of(Draws(seed).states(torch.arange(COUNT), epoch), name)).double()


@pytest.mark.parametrize("choice", [{}, {"seed": 1}, {"epoch": 7}, {"name": "other"}], ids=str)
def test_draws_are_uniform(choice):
    values = drawn(**choice)
    counts = torch.histc(values.float(), 64, 0, 1).double()
    expected = COUNT / 64

    assert values.min() >= 0
    assert values.max() < 1
    # 63 degrees of freedom: mean 63, standard deviation 11.2
    assert 20 < ((counts - expected) ** 2 / expected).sum() < 120


@pytest.mark.parametrize("other", [{"seed": 1}, {"epoch": 1}, {"name": "scale"}], ids=str)
def test_draws_of_another_seed_epoch_or_name_tell_nothing(other):
    both = torch.stack([drawn(), drawn(**other)])

    assert abs(torch.corrcoef(both)[0, 1]) < 5 / COUNT**0.5


@pytest.mark.parametrize("by", [1, 2, 8])
def test_draws_of_neighbours_tell_nothing(by):
    values = drawn()

    assert abs(torch.corrcoef(torch.stack([values[by:], values[:-by]]))[0, 1]) < 5 / COUNT**0.5


def test_normal_draws_have_the_moments_of_a_normal_distribution():
    values = normal(bits_of(Draws(0).states(torch.arange(COUNT), 0), "noise")).double()

    assert abs(values.mean()) < 5 / COUNT**0.5
    assert abs(values.std() - 1) < 0.02
    assert abs((values**4).mean() - 3) < 0.2


def test_a_draw_depends_on_its_sample_and_position_alone():
    samples = torch.tensor([5, 900, 3, 77])
    together = bits_at(Draws(4).states(samples, 2), "noise", 10)

    for row, sample in enumerate(samples):
        alone = bits_at(Draws(4).states(sample[None], 2), "noise", 3)
        assert torch.equal(alone[0], together[row, :3])
