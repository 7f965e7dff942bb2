"""A network as a user might write it, for every kind of sample."""

import torch
from torch import Tensor, nn

from snaketorch.models.shapes import RowShape, TokensShape


class OwnNetwork(nn.Module):
    """A dense layer over the sample, or over each step of it."""

    def __init__(self, input_shape: tuple, num_outputs: int, each_step: bool, width: int = 16):
        super().__init__()
        self.is_row, self.each_step = isinstance(input_shape, RowShape), each_step
        self.table = nn.Embedding(input_shape.vocabulary_size, 4) if isinstance(input_shape, TokensShape) else None
        self.entry = nn.LazyLinear(width)
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(width, num_outputs)

    def forward(self, sample: Tensor, other: Tensor | None = None) -> Tensor:
        """``other``: the categories of a row, or lengths, of which this network makes nothing."""
        if self.is_row:
            sample = torch.cat([sample, other.float()], 1)
        if self.table is not None:
            sample = self.table(sample)
        if not self.each_step:
            # sequences and texts may be of any length
            sample = sample.mean(1) if sample.ndim == 3 else sample.flatten(1)
        return self.head(self.dropout(torch.relu(self.entry(sample))))
