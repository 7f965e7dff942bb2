"""Memory that cuDNN's recurrent layers take beside their outputs; it is part of no tensor whose shape torch knows."""

from typing import NamedTuple

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
STATES = {"lstm": 2, "gru": 2, "rnn_tanh": 1, "rnn_relu": 1}
"""Kept of each step beside the gates: the hidden state, the cell of an LSTM, a GRU's part of the candidate that its
reset gate multiplies."""
MARGIN = 0.5
"""Of the reserve, for the safe bound: cuDNN tells the size of the reserve to nobody without a GPU."""


class Recurrence(NamedTuple):
    """One call of stacked recurrent layers."""

    kind: str
    """`lstm`, `gru`, `rnn_tanh` or `rnn_relu`."""
    steps: int
    batch: int
    features: int
    hidden: int
    layers: int
    directions: int
    dropout: bool
    """Between the layers."""
    itemsize: int
    """Bytes of a number."""

    @property
    def _cells(self) -> int:
        """States of all steps, samples, layers and directions."""
        return self.steps * self.batch * self.hidden * self.layers * self.directions

    @property
    def reserve(self) -> int:
        """Bytes kept from the forward pass for the gradients: gates and states of each step, and dropout's mask."""
        masks = self._cells // self.layers * (self.layers - 1) if self.dropout else 0
        return self._cells * (GATES[self.kind] + STATES[self.kind]) * self.itemsize + masks

    @property
    def workspace(self) -> int:
        """Bytes that one pass needs while it runs: the inputs' share of one layer's gates, and a state's gradient."""
        width = self.batch * self.hidden * self.directions
        return width * self.itemsize * (self.steps * GATES[self.kind] + 2)

    @property
    def flops(self) -> int:
        """Of the forward pass: the products of inputs and states with their matrices."""
        inputs = [self.features, *[self.hidden * self.directions] * (self.layers - 1)]
        columns = sum(self.hidden + width for width in inputs)
        return 2 * self.steps * self.batch * self.directions * GATES[self.kind] * self.hidden * columns

    @property
    def kernels(self) -> int:
        """Of the forward pass: one a step, layer and direction, and the inputs' products."""
        return (self.steps + 1) * self.layers * self.directions
