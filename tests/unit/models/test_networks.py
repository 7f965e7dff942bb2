import pytest
import torch

from snaketorch.config.models import Cnn, Gru, Lstm
from snaketorch.errors import UserError
from snaketorch.models import build_network


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
    assert network.features[0].bias is not None
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in network.modules())


@pytest.mark.parametrize("options", [Lstm(kind="lstm", hidden=5), Gru(kind="gru", hidden=5)], ids=lambda o: o.kind)
def test_a_recurrent_network_gives_a_head_over_the_last_state(options):
    network = build_network(options, (7, 3), 4).eval()
    sequence = torch.randn(2, 7, 3)
    states, _ = network.cells(sequence)
    assert torch.allclose(network(sequence), network.head(states[:, -1]))


def test_both_directions_end_in_the_state_that_has_seen_everything():
    network = build_network(Gru(kind="gru", hidden=5, layers=2, bidirectional=True), (7, 3), 4).eval()
    sequence = torch.randn(2, 7, 3)
    states, _ = network.cells(sequence)  # (B, T, 2 * hidden)
    last = torch.cat([states[:, -1, :5], states[:, 0, 5:]], dim=1)
    assert torch.allclose(network(sequence), network.head(last))


@pytest.mark.parametrize("kind", [Lstm, Gru], ids=["lstm", "gru"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["forwards", "both ways"])
def test_padding_has_no_influence_on_what_a_recurrent_network_says(kind, layers, bidirectional):
    options = kind(kind=kind.__name__.lower(), hidden=5, layers=layers, bidirectional=bidirectional)
    network = build_network(options, (9, 3), 4).eval()
    length = torch.tensor([2, 9, 1, 5])
    sequence = torch.randn(4, 16, 3)  # what stands after the end is anything
    together = network(sequence, length)
    for row, steps, said in zip(sequence, length.tolist(), together, strict=True):
        torch.testing.assert_close(said, network(row[None, :steps])[0], atol=1e-5, rtol=1e-5)
