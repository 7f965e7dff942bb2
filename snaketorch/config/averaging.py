"""Weights averaged over a training."""

from typing import Annotated, Literal

from pydantic import Field

from snaketorch.config.base import Section


class Ema(Section):
    """An exponential moving average of the weights, taken after every optimizer step."""

    kind: Literal["ema"]
    decay: Annotated[float, Field(gt=0, lt=1)] = 0.999
    """Share of the average that each step keeps: 0.999 remembers about 1,000 steps."""


class Swa(Section):
    """Stochastic weight averaging: the mean of the weights at the ends of the last epochs (arXiv 1803.05407)."""

    kind: Literal["swa"]
    start: Annotated[float, Field(ge=0, lt=1)] = 0.75
    """Share of `trainer.max_epochs` after which epochs count."""


WeightAveraging = Annotated[Ema | Swa, Field(discriminator="kind")]
