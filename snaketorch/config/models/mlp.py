"""Dense layers."""

from typing import ClassVar, Literal

from pydantic import Field

from snaketorch.config.base import Positive, Probability
from snaketorch.config.models.base import IMAGE, ROW, SEQUENCE, TOKENS, Network


class Mlp(Network):
    """Dense layers over everything at once: the pixels of an image, the steps of a sequence, a row of a table.

    Of tokens it reads the mean of their embeddings. Each category of a row becomes an embedding of half as many
    values as the category has, at most 50. Sequences shorter than the longest are filled up with zeros.
    """

    reads: ClassVar[tuple[str, ...]] = (IMAGE, SEQUENCE, TOKENS, ROW)
    implementation: ClassVar[str] = "snaketorch.models.mlp:Mlp"

    kind: Literal["mlp"]
    hidden: list[Positive] = Field([128, 64])
    """Units of each hidden layer; an empty list makes the network linear."""
    activation: Literal["relu", "gelu", "silu", "elu", "tanh"] = "relu"
    """What follows each hidden layer."""
    batch_norm: bool = False
    """Normalise each hidden layer over the batch."""
    dropout: Probability = 0.0
    """Share of the units of each hidden layer dropped in training."""
    embedding: Positive = 64
    """Numbers that stand for a token, learnt; only where tokens are read."""
