"""Dense layers, for whatever can be laid out in a row."""

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.nn import functional as F

from snaketorch.config.models import Mlp as Options
from snaketorch.models.embedding import check_steps, token_embedding
from snaketorch.models.shapes import RowShape, SequenceShape, Shape, TokensShape

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "elu": nn.ELU, "tanh": nn.Tanh}

MOST_OF_A_CATEGORY = 50
"""Values of a category's embedding, at most."""


class Mlp(nn.Module):
    """Dense layers over the values of a sample. Gives (B, num_outputs).

    How a sample becomes a row of values is its ``entry``: see the classes below.
    """

    def __init__(self, options: Options, input_shape: Shape, num_outputs: int):
        super().__init__()
        self.entry = _entry(options, input_shape)
        self.layers = nn.Sequential()
        width = self.entry.width
        for units in options.hidden:
            normalisation = [nn.BatchNorm1d(units)] if options.batch_norm else []
            activation = ACTIVATIONS[options.activation]()
            layer = nn.Sequential(nn.Linear(width, units, bias=not options.batch_norm), *normalisation, activation)
            self.layers.append(layer.append(nn.Dropout(options.dropout)))
            width = units
        self.head = nn.Linear(width, num_outputs)

    def blocks(self) -> list[nn.Module]:
        embeds = any(True for _ in self.entry.parameters())
        return [*([self.entry] if embeds else []), *self.layers, self.head]

    def forward(self, *sample: Tensor | None) -> Tensor:
        """``sample``: an image; a sequence or tokens, and ``length`` (B,) perhaps; or numbers and categories."""
        return self.head(self.layers(self.entry(*sample)))

    def parallelize(self, mesh: DeviceMesh) -> None:
        """Leaves this process its part of the layers, of which all processes of ``mesh`` compute each."""
        from snaketorch.models.tensor_parallel import split_dense_layers  # what it imports, few need

        split_dense_layers(self.layers, self.head, mesh)


def _entry(options: Options, shape: Shape) -> nn.Module:
    match shape:
        case TokensShape():
            return MeanOfTokens(shape, options.embedding)
        case RowShape():
            return NumbersAndCategories(shape)
        case SequenceShape():
            return Steps(shape)
        case _:
            return Pixels(*shape)


class Pixels(nn.Flatten):
    """(B, C, H, W) -> (B, C * H * W)."""

    def __init__(self, channels: int, height: int, width: int):
        super().__init__()
        self.width = channels * height * width


class Steps(nn.Module):
    """(B, T, F) -> (B, longest * F), with zeros where a sequence is shorter than the longest."""

    def __init__(self, shape: SequenceShape):
        super().__init__()
        check_steps(shape)
        self.steps = shape.steps
        self.width = shape.steps * shape.features

    def forward(self, sequence: Tensor, length: Tensor | None = None) -> Tensor:
        if length is not None:
            sequence = sequence * _before(sequence, length)
        # a batch is padded to its own longest, perhaps beyond the longest of all
        return F.pad(sequence, (0, 0, 0, self.steps - sequence.shape[1])).flatten(1)


class MeanOfTokens(nn.Module):
    """(B, T) -> (B, size): the mean of the tokens' embeddings."""

    def __init__(self, shape: TokensShape, size: int):
        super().__init__()
        self.width = size
        self.embedding = token_embedding(shape, size)

    def forward(self, tokens: Tensor, length: Tensor | None = None) -> Tensor:
        embedded = self.embedding(tokens)
        if length is None:
            return embedded.mean(1)
        return (embedded * _before(embedded, length)).sum(1) / length.clamp(min=1)[:, None]


class NumbersAndCategories(nn.Module):
    """Numbers (B, N) and categories (B, K) -> (B, N + the sizes of the categories' embeddings)."""

    def __init__(self, shape: RowShape):
        super().__init__()
        sizes = [min(MOST_OF_A_CATEGORY, -(-values // 2)) for values in shape.categories]
        self.embeddings = nn.ModuleList(map(nn.Embedding, shape.categories, sizes))
        self.width = shape.numbers + sum(sizes)

    def forward(self, numbers: Tensor | None, categories: Tensor | None = None) -> Tensor:
        parts = [] if numbers is None else [numbers]
        if categories is not None:
            parts += [embed(categories[:, column]) for column, embed in enumerate(self.embeddings)]
        return torch.cat(parts, dim=1)


def _before(padded: Tensor, length: Tensor) -> Tensor:
    """(B, T, 1): whether a step comes before the end of its sample."""
    return (torch.arange(padded.shape[1], device=padded.device) < length[:, None])[:, :, None]
