import pytest
import torch

from snaketorch.config.models import Cnn, Gru, Lstm
from snaketorch.errors import UserError
from snaketorch.models import build_network
from snaketorch.models.shapes import SequenceShape


def test_the_default_cnn_is_three_blocks_of_32_64_64_filters_and_a_dense_layer_of_64():
    network = build_network(Cnn(kind="cnn"), (1, 28, 28), 10)
    shapes = [tuple(weight.shape) for weight in network.parameters() if weight.ndim > 1]
    assert shapes == [(32, 1, 3, 3), (64, 32, 3, 3), (64, 64, 3, 3), (64, 64 * 3 * 3), (10, 64)]
    assert network(torch.zeros(5, 1, 28, 28)).shape == (5, 10)


def test_a_cnn_refuses_images_that_its_pooling_would_shrink_to_nothing():
    with pytest.raises(UserError, match="at least 8x8"):
        build_network(Cnn(kind="cnn"), (1, 7, 20), 10)


def test_a_cnn_without_normalisation_has_biases_instead():
    network = build_network(Cnn(kind="cnn", batch_norm=False, channels=[4]), (3, 8, 8), 2)
    assert network.features[0][0].bias is not None
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in network.modules())


@pytest.mark.parametrize("options", [Lstm(kind="lstm", hidden=5), Gru(kind="gru", hidden=5)], ids=lambda o: o.kind)
def test_a_recurrent_network_gives_a_head_over_the_last_state(options):
    network = build_network(options, SequenceShape(7, 3), 4).eval()
    sequence = torch.randn(2, 7, 3)
    states, _ = network.cells(sequence)
    assert torch.allclose(network(sequence), network.head(states[:, -1]))
