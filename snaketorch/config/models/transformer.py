"""A small transformer."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from snaketorch.config.base import Positive, Probability
from snaketorch.config.models.base import SEQUENCE, TOKENS, Network


class Transformer(Network):
    """A transformer encoder whose layers normalise what they read; it looks back only where each step has an output."""

    reads: ClassVar[tuple[str, ...]] = (SEQUENCE, TOKENS)
    implementation: ClassVar[str] = "snaketorch.models.transformer:Transformer"
    each_step: ClassVar[bool] = True

    kind: Literal["transformer"]
    hidden: Positive = 64
    """Numbers that stand for a step, in every layer."""
    layers: Positive = 2
    """Stacked layers."""
    heads: Positive = 4
    """Attention heads of each layer; they share `hidden` out evenly."""
    feedforward: Positive = 256
    """Units of the dense part of each layer."""
    dropout: Probability = 0.1
    """Share of units dropped in each layer and before the output."""
    positions: Literal["learned", "sinusoidal"] = "sinusoidal"
    """How a step tells where it is."""
    pooling: Literal["last", "mean", "max", "attention"] = "mean"
    """What becomes the output: the last step, or the mean, the largest values or a learnt weighted mean of all
    steps."""

    @model_validator(mode="after")
    def _heads_share_evenly(self) -> Self:
        if self.hidden % self.heads:
            fitting = ", ".join(str(heads) for heads in range(1, self.hidden + 1) if not self.hidden % heads)
            raise ValueError(f"heads: {self.heads} do not share hidden ({self.hidden}) evenly; allowed: {fitting}")
        return self
