"""Activations that are computed again change nothing but memory."""

import copy
from functools import partial

import pytest
import torch
from torch import nn

from snaketorch.config.models import Cnn, Gru, Lstm, Transformer
from snaketorch.errors import UserError
from snaketorch.models import build_network
from snaketorch.models.shapes import ImageShape, SequenceShape, TokensShape
from snaketorch.training.activation_checkpointing import recompute_activations
from tests.unit.registered_networks import SHAPES, registered, some_samples

SEQUENCE, TOKENS = SequenceShape(6, 3, ragged=True), TokensShape(6, 9, ragged=True)
NETWORKS = {
    "cnn": (Cnn(kind="cnn", channels=[4, 8], dropout=0.3), ImageShape(1, 8, 8)),
    "gru": (Gru(kind="gru", hidden=8, layers=2, dropout=0.3), SEQUENCE),
    "both ways": (Lstm(kind="lstm", hidden=8, layers=2, dropout=0.3, bidirectional=True), TOKENS),
    "transformer": (Transformer(kind="transformer", hidden=8, heads=2, layers=2, dropout=0.3), TOKENS),
}


def recomputing(network: nn.Module, samples: list[torch.Tensor]) -> nn.Module:
    changed = copy.deepcopy(network)
    recompute_activations(changed, partial(changed.eval(), *samples))
    return changed.train()


def trained_once(network: nn.Module, samples: list[torch.Tensor]) -> list[torch.Tensor]:
    """Gradients, then weights and running statistics."""
    torch.manual_seed(0)
    network(*samples).square().sum().backward()
    return [weight.grad for weight in network.parameters()] + list(network.state_dict().values())


def kept(network: nn.Module, samples: list[torch.Tensor]) -> int:
    """Bytes that wait for the gradients, weights not counted."""
    saved: list[torch.UntypedStorage] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.untyped_storage()) or t, lambda t: t):
        network(*samples)
    memory = {storage._cdata: storage.nbytes() for storage in saved}  # views share it
    weights = {weight.untyped_storage()._cdata for weight in network.parameters()}
    return sum(size for place, size in memory.items() if place not in weights)


@pytest.mark.parametrize("case", NETWORKS)
def test_gradients_and_statistics_are_the_same_bits_and_less_is_kept(case):
    options, shape = NETWORKS[case]
    network, samples = build_network(options, shape, 3), some_samples(shape, "cpu")
    changed = recomputing(network, samples)

    assert all(map(torch.equal, trained_once(network, samples), trained_once(changed, samples)))
    assert kept(changed, samples) < kept(network, samples)
    assert list(changed.state_dict()) == list(network.state_dict())


@pytest.mark.parametrize("case", registered(), ids=str)
def test_every_network_keeps_less(case):
    shape = SHAPES[case.reads]
    # dense layers without more keep nothing but what goes into the next one
    asked = [{"batch_norm": True}] if case.kind == "mlp" else [{}]
    if "bidirectional" in case.section.model_fields:
        asked.append({"bidirectional": True, "layers": 2})
    for options in asked:
        with torch.device("meta"):
            network = build_network(case.section(kind=case.kind, **options), shape, 3)
        samples = some_samples(shape, "meta")
        assert kept(recomputing(network, samples), samples) < kept(network, samples)


class Whole(nn.Module):
    """Has no head."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(3, 5), nn.Sequential(nn.Tanh(), nn.Sigmoid(), nn.Tanh())])

    def forward(self, row):
        for layer in self.layers:
            row = layer(row)
        return row


class Members(Whole):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(5, 2)

    def forward(self, row):
        return self.head(super().forward(row))


class Uncalled(Members):
    def blocks(self):
        return [nn.Sequential(*self.layers), self.head]


class Alone(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 2)

    def forward(self, row):
        return self.head(row)


def test_the_members_of_a_list_are_computed_again():
    network, samples = Members(), [torch.randn(4, 3)]
    assert kept(recomputing(network, samples), samples) < kept(network, samples)


@pytest.mark.parametrize("network_class", [Whole, Uncalled, Alone])
def test_a_network_of_which_nothing_would_be_computed_again_is_refused(network_class):
    name = network_class.__name__
    with pytest.raises(UserError, match=rf"gradient_checkpointing: the forward of {name} calls no part .*; allowed: "):
        recomputing(network_class(), [torch.randn(4, 3)])
