"""Recurrent networks: one class for all cells."""

import torch
from torch import Tensor, cat, nn
from torch.nn.utils.rnn import pack_padded_sequence

from snaketorch.config.models import Gru, Lstm

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}


class Recurrent(nn.Module):
    """Stacked recurrent layers whose last state becomes the output.

    One call of torch's own layer, so cuDNN's fused kernels apply. Reads (B, T, F), gives (B, num_outputs).
    """

    def __init__(self, options: Lstm | Gru, input_shape: tuple[int, int], num_outputs: int):
        super().__init__()
        _, features = input_shape
        self.cells = CELLS[options.kind](
            features,
            options.hidden,
            num_layers=options.layers,
            batch_first=True,
            # between layers only, which a single layer has not: torch would warn
            dropout=options.dropout if options.layers > 1 else 0.0,
            bidirectional=options.bidirectional,
        )
        self.directions = 2 if options.bidirectional else 1
        self.dropout = nn.Dropout(options.dropout)
        self.head = nn.Linear(self.directions * options.hidden, num_outputs)

    def forward(self, sequence: Tensor, length: Tensor | None = None) -> Tensor:
        """``length`` (B,): steps of each sample, the rest is padding and has no influence; all steps when absent."""
        if length is not None and self.directions == 1:
            # read forwards, no layer sees the padding before the sample's last step, so packing is not needed
            states, _ = self.cells(sequence)
            last = states[torch.arange(len(states), device=states.device), length - 1]
        else:
            if length is not None:
                sequence = pack_padded_sequence(sequence, length.cpu(), batch_first=True, enforce_sorted=False)
            _, state = self.cells(sequence)
            hidden = state[0] if isinstance(state, tuple) else state  # an LSTM also returns its cell state
            last = cat(list(hidden[-self.directions :]), dim=-1)  # of the top layer, both directions: (B, D * hidden)
        return self.head(self.dropout(last))
