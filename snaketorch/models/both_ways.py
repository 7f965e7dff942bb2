"""Recurrent layers that read in both directions."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class BothWays(nn.Module):
    """Stacked recurrent layers, each of which reads forwards and backwards. Reads (B, T, F), gives (B, T, 2 * hidden).

    Packed sequences, which torch's bidirectional layers need to read a sample from its own end, would wait for the
    lengths on the CPU and keep cuDNN from its persistent kernels.
    """

    def __init__(self, cell: Callable[[int, int], nn.RNNBase], features: int, hidden: int, layers: int, dropout: float):
        """``cell``: makes one layer of that many features and units."""
        super().__init__()
        widths = [features, *[2 * hidden] * (layers - 1)]
        self.layers = nn.ModuleList(BothWaysLayer(cell(width, hidden), cell(width, hidden)) for width in widths)
        self.dropout = nn.Dropout(dropout)

    def forward(self, sequence: Tensor, length: Tensor | None = None) -> Tensor:
        states = self.layers[0](sequence, length)
        for layer in self.layers[1:]:
            states = layer(self.dropout(states), length)
        return states


class BothWaysLayer(nn.Module):
    """A recurrent layer for each direction; their states side by side.

    A sample is read backwards from its own end: its steps are put in reverse before the pass and put back after it,
    so that padding stays behind them.
    """

    def __init__(self, forwards: nn.RNNBase, backwards: nn.RNNBase):
        super().__init__()
        self.forwards, self.backwards = forwards, backwards

    def forward(self, sequence: Tensor, length: Tensor | None = None) -> Tensor:
        ahead, _ = self.forwards(sequence)
        back, _ = self.backwards(_reversed(sequence, length))
        return torch.cat([ahead, _reversed(back, length)], dim=2)


def _reversed(sequence: Tensor, length: Tensor | None) -> Tensor:
    """``sequence`` (B, T, F) with the steps of each sample in reverse and its padding where it was."""
    if length is None:
        return sequence.flip(1)
    steps = torch.arange(sequence.shape[1], device=sequence.device)
    order = torch.where(steps < length[:, None], length[:, None] - 1 - steps, steps)
    return sequence.gather(1, order[:, :, None].expand_as(sequence))
