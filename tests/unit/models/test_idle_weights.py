"""Training on several processes relies on it: only where weights may be idle does each step look for them."""

import pytest
import torch

from snaketorch.models import build_network
from tests.unit.registered_networks import SHAPES, registered, some_samples


@pytest.mark.parametrize("case", registered(), ids=str)
def test_every_weight_of_a_registered_network_gets_a_gradient(case):
    shape = SHAPES[case.reads]
    with torch.device("meta"):
        network = build_network(case.section(kind=case.kind), shape, 5)
    network(*some_samples(shape, "meta")).sum().backward()
    assert [name for name, weight in network.named_parameters() if weight.grad is None] == []
