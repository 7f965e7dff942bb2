import pytest
import torch
from torch import nn

from snaketorch.config.tasks.language_modelling import Sampling
from snaketorch.models.stepwise import Stepwise
from snaketorch.tasks.generation import draw, generate

LOGITS = torch.tensor([0.5, 0.3, 0.1, 0.06, 0.04]).log()


def drawn(count=4000, **options):
    """The share of each of five tokens, those for padding and the unknown before them."""
    logits = torch.cat([torch.tensor([9.0, 9.0]), LOGITS]).expand(count, -1).clone()
    tokens = draw(logits, Sampling(**options), torch.Generator().manual_seed(0))
    return torch.bincount(tokens, minlength=7).double() / count


def test_tokens_are_drawn_by_their_probability_and_never_padding_or_the_unknown():
    shares = drawn()
    assert shares[:2].sum() == 0
    assert shares[2:] == pytest.approx(LOGITS.exp().double(), abs=0.03)


def test_temperature_sharpens():
    expected = (LOGITS.double() / 0.5).softmax(0)
    assert drawn(temperature=0.5)[2:] == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"top_k": 1}, 1),
        ({"top_k": 3}, 3),
        ({"top_k": 99}, 5),
        ({"top_p": 0.01}, 1),
        ({"top_p": 0.5}, 1),
        ({"top_p": 0.51}, 2),
        ({"top_p": 0.85}, 3),
        ({"top_p": 1.0}, 5),
        ({"top_k": 3, "top_p": 0.8}, 2),  # of the three: 0.56, 0.33, 0.11
    ],
)
def test_only_the_likeliest_tokens_are_drawn(options, kept):
    shares = drawn(**options)[2:]
    assert (shares > 0).tolist() == [number < kept for number in range(5)]
    expected = LOGITS.exp().double()[:kept] / LOGITS.exp().double()[:kept].sum()
    assert shares[:kept] == pytest.approx(expected, abs=0.03)


class Counting(nn.Module):
    """Sure that the next token is the last one plus the number of tokens that it can see, below 50."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.seen = []

    def forward(self, tokens):
        self.seen.append(tokens.shape[1])
        read = torch.arange(1, tokens.shape[1] + 1)
        return 100 * nn.functional.one_hot((tokens + read) % 48 + 2, 50).float() * self.weight


class CountingStepwise(Counting):
    def step(self, token, state=None):
        read = (state or 0) + 1
        return 100 * nn.functional.one_hot((token + read) % 48 + 2, 50).float() * self.weight, read

    def forward(self, tokens):
        raise AssertionError("reads again what it has read")


def test_a_network_without_a_state_reads_its_window_again():
    network = Counting()
    text = generate(network, torch.tensor([2, 3]), 4, Sampling(length=5, count=2), torch.Generator())
    assert network.seen == [2, 3, 4, 4, 4]
    expected, last = [], 3
    for read in network.seen:
        last = (last + read) % 48 + 2
        expected.append(last)
    assert text.tolist() == [expected] * 2


def test_a_network_with_a_state_reads_every_token_once():
    network = CountingStepwise()
    assert isinstance(network, Stepwise) and not isinstance(Counting(), Stepwise)
    text = generate(network, torch.tensor([2, 3]), 4, Sampling(length=3, count=1), torch.Generator())
    expected, last = [], 3
    for read in (2, 3, 4):
        last = (last + read) % 48 + 2
        expected.append(last)
    assert text.tolist() == [expected]


def test_a_prompt_longer_than_the_window_is_read_at_its_end():
    network = Counting()
    generate(network, torch.arange(2, 12), 4, Sampling(length=2, count=1), torch.Generator())
    assert network.seen == [4, 4]
