import pytest
import torch
from torch import nn

from snaketorch.config.models import Mlp
from snaketorch.errors import UserError
from snaketorch.models import build_network
from snaketorch.models.blocks import blocks_of
from snaketorch.models.shapes import ImageShape, RowShape, SequenceShape, TokensShape


def mlp(shape, num_outputs=3, **options):
    return build_network(Mlp(kind="mlp", **options), shape, num_outputs).eval()


def widths(network: nn.Module) -> list[tuple[int, int]]:
    return [(layer.in_features, layer.out_features) for layer in network.modules() if isinstance(layer, nn.Linear)]


def test_the_pixels_of_an_image_go_through_the_hidden_layers_to_the_head():
    network = mlp(ImageShape(2, 3, 4), hidden=[8, 5], activation="tanh")
    image = torch.randn(6, 2, 3, 4)

    first, second = (layer[0] for layer in network.layers)
    expected = network.head(second(first(image.flatten(1)).tanh()).tanh())

    assert widths(network) == [(24, 8), (8, 5), (5, 3)]
    torch.testing.assert_close(network(image), expected)


def test_without_hidden_layers_it_is_linear():
    assert widths(mlp(ImageShape(1, 2, 2), hidden=[])) == [(4, 3)]


def test_batch_norm_takes_the_place_of_the_bias_and_dropout_follows_each_layer():
    network = mlp(ImageShape(1, 2, 2), hidden=[4, 4], batch_norm=True, dropout=0.25)

    assert [type(layer).__name__ for layer in network.layers[1]] == ["Linear", "BatchNorm1d", "ReLU", "Dropout"]
    assert network.layers[1][0].bias is None
    assert network.layers[1][-1].p == 0.25


def test_the_padding_of_a_sequence_has_no_influence():
    network = mlp(SequenceShape(5, 2))
    sequence, length = torch.randn(3, 8, 2), torch.tensor([5, 2, 1])

    together = network(sequence, length)

    for row, steps, said in zip(sequence, length.tolist(), together, strict=True):
        whole = torch.cat([row[:steps], torch.zeros(5 - steps, 2)])
        torch.testing.assert_close(said, network(whole[None])[0])
    assert together.shape == network(torch.randn(3, 5, 2)).shape == (3, 3)


def test_tokens_are_read_as_the_mean_of_their_embeddings():
    network = mlp(TokensShape(4, 11), embedding=6)
    tokens, length = torch.tensor([[3, 5, 0, 0], [2, 2, 7, 9]]), torch.tensor([2, 4])

    table = network.entry.embedding.weight
    means = torch.stack([table[[3, 5]].mean(0), table[[2, 2, 7, 9]].mean(0)])

    torch.testing.assert_close(network(tokens, length), network.head(network.layers(means)))


def test_a_vocabulary_of_nothing_is_refused():
    with pytest.raises(UserError, match="the vocabulary has 2 tokens"):
        mlp(TokensShape(4, 2))


def test_a_category_becomes_half_as_many_values_at_most_50():
    network = mlp(RowShape(3, (2, 7, 1000)))

    assert [table.weight.shape for table in network.entry.embeddings] == [(2, 1), (7, 4), (1000, 50)]
    assert widths(network)[0] == (3 + 1 + 4 + 50, 128)
    assert network(torch.zeros(2, 3), torch.tensor([[0, 6, 999], [1, 0, 0]])).shape == (2, 3)


def test_a_row_may_have_numbers_or_categories_alone():
    assert mlp(RowShape(3, ()))(torch.zeros(2, 3), None).shape == (2, 3)
    assert mlp(RowShape(0, (4,)))(None, torch.zeros(2, 1, dtype=torch.int64)).shape == (2, 3)


@pytest.mark.parametrize("shape", [SequenceShape(5, 2), TokensShape(4, 11), RowShape(3, (4, 5))], ids=str)
def test_the_parts_hold_every_weight_once_in_their_order(shape):
    network = mlp(shape)
    in_blocks = [id(weight) for block in blocks_of(network) for weight in block.parameters()]

    assert in_blocks == [id(weight) for weight in network.parameters()]
    assert blocks_of(network)[-1] is network.head
