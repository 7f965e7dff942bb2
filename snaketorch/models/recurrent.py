"""Recurrent networks: one class for all cells."""

from functools import partial
from typing import Any

from torch import Tensor, nn

from snaketorch.config.models import Gru, Lstm, Rnn
from snaketorch.models.both_ways import BothWays
from snaketorch.models.embedding import check_steps, token_embedding
from snaketorch.models.pooling import Pooling
from snaketorch.models.shapes import SequenceShape, TokensShape

CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class Recurrent(nn.Module):
    """Stacked recurrent layers whose states, or one of them, become the output.

    All layers that read forwards are one call of torch's own, so cuDNN's fused kernels apply. Reads tokens
    (B, T) or values (B, T, F), gives (B, num_outputs), or (B, T, num_outputs) where each step has an output.
    """

    def __init__(
        self,
        options: Rnn | Lstm | Gru,
        input_shape: SequenceShape | TokensShape,
        num_outputs: int,
        each_step: bool = False,
    ):
        super().__init__()
        check_steps(input_shape)
        if isinstance(input_shape, TokensShape):
            self.embedding, features = token_embedding(input_shape, options.embedding), options.embedding
        else:
            self.embedding, features = nn.Identity(), input_shape.features
        kind = {"nonlinearity": options.nonlinearity} if options.kind == "rnn" else {}
        cell = partial(CELLS[options.kind], batch_first=True, **kind)
        self.both_ways = options.bidirectional
        if self.both_ways:
            self.cells = BothWays(cell, features, options.hidden, options.layers, options.dropout)
        else:
            # between layers only, which a single layer has not: torch would warn
            between = options.dropout if options.layers > 1 else 0.0
            self.cells = cell(features, options.hidden, num_layers=options.layers, dropout=between)
        width = (2 if self.both_ways else 1) * options.hidden
        self.pooling = None if each_step else Pooling(options.pooling, width, self.both_ways)
        self.dropout = nn.Dropout(options.dropout)
        self.head = nn.Linear(width, num_outputs)

    def forward(self, sample: Tensor, length: Tensor | None = None) -> Tensor:
        """``length`` (B,): steps of each sample, the rest is padding and has no influence; all steps when absent."""
        read = self.embedding(sample)
        if self.both_ways:
            states = self.cells(read, length)
        else:
            # read forwards, no layer sees the padding before the sample's last step, so packing is not needed
            states, _ = self.cells(read)
        return self.head(self.dropout(states if self.pooling is None else self.pooling(states, length)))

    def step(self, sample: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """See ``snaketorch.models.stepwise``; only of a network with an output at each step."""
        states, state = self.cells(self.embedding(sample[:, None]), state)
        return self.head(self.dropout(states[:, 0])), state

    def blocks(self) -> list[nn.Module]:
        """Its parts with weights, from the input to the head; the layers of one call are one part."""
        cells = [*self.cells.layers] if self.both_ways else [self.cells]
        parts = [self.embedding, *cells, *([] if self.pooling is None else [self.pooling]), self.head]
        return [part for part in parts if any(True for _ in part.parameters())]
