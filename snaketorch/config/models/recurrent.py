"""Recurrent networks."""

from typing import ClassVar, Literal

from snaketorch.config.base import Positive, Probability
from snaketorch.config.models.base import SEQUENCE, TOKENS, Network


class _Recurrent(Network):
    reads: ClassVar[tuple[str, ...]] = (SEQUENCE, TOKENS)
    implementation: ClassVar[str] = "snaketorch.models.recurrent:Recurrent"
    each_step: ClassVar[bool] = True

    embedding: Positive = 64
    """Numbers that stand for a token, learnt; only where tokens are read."""
    hidden: Positive = 64
    """Units of each layer and direction."""
    layers: Positive = 1
    """Stacked layers."""
    bidirectional: bool = False
    """Read the sequence in both directions."""
    dropout: Probability = 0.0
    """Share of units dropped between layers and before the output."""
    pooling: Literal["last", "mean", "max", "attention"] = "last"
    """What becomes the output: the state that has seen everything, or the mean, the largest values or a learnt weighted
    mean of the states of all steps."""


class Rnn(_Recurrent):
    """The plain recurrent network (Elman)."""

    kind: Literal["rnn"]
    nonlinearity: Literal["tanh", "relu"] = "tanh"
    """What the sum of input and state goes through."""


class Lstm(_Recurrent):
    """Long short-term memory."""

    kind: Literal["lstm"]


class Gru(_Recurrent):
    """Gated recurrent units."""

    kind: Literal["gru"]
