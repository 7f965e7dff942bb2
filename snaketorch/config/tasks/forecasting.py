"""The next values of a series."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from snaketorch.config import contents
from snaketorch.config.base import Positive
from snaketorch.config.models import base as models
from snaketorch.config.tasks.base import TaskSection

MEDIAN = 0.5


class Forecasting(TaskSection):
    """The next values of a series from the values before them.

    Beside the model stand the last known value (persistence), the value one season before (seasonal naive), and a
    ridge regression from the same window (linear), which is often hard to beat.
    """

    data: ClassVar[dict[str, str]] = {contents.SERIES: models.SEQUENCE}
    implementation: ClassVar[str] = "snaketorch.tasks.forecasting:Forecasting"
    evaluator: ClassVar[str] = "snaketorch.evaluation.forecasting:evaluate"
    goal: ClassVar[str] = "mae"
    logged: ClassVar[dict[str, str]] = {"loss": "min", "mae": "min"}
    test_keys: ClassVar[tuple[str, ...]] = ("season",)

    kind: Literal["forecasting"]
    window: Positive
    """Steps that the network sees."""
    horizon: Positive = 1
    """Steps ahead to forecast."""
    strategy: Literal["direct", "recursive"] = "direct"
    """All steps of the horizon at once; or one step at a time, each forecast taken for known by the next. The latter
    learns on true values to forecast one step, and is validated and tested over the whole horizon."""
    targets: Annotated[list[str], Field(min_length=1)] | None = None
    """Channels to forecast, by their names; the network sees all. All when absent."""
    quantiles: list[Annotated[float, Field(gt=0, lt=1)]] | None = None
    """Forecast these quantiles, by the pinball loss; the one forecast of a value is then the median. When absent, one
    value by `loss`."""
    stride: Positive = 1
    """Steps from one training window to the next; validation and test use every window."""
    season: Positive | None = None
    """Steps in one season, for the seasonal naive forecast; no such baseline when absent."""
    loss: Literal["mse", "mae", "huber"] = "mse"
    """What training minimises, on normalised values."""

    @property
    def metrics(self) -> dict[str, str]:
        """Those of quantiles only where there are some."""
        of_quantiles = {"pinball": "min", "coverage_error": "min", "interval_width": "min"} if self.quantiles else {}
        return {"mae": "min", "rmse": "min", "mase": "min", **of_quantiles}

    @field_validator("quantiles")
    @classmethod
    def _quantiles_surround_the_median(cls, quantiles: list[float] | None) -> list[float] | None:
        if quantiles is None:
            return None
        rises = all(low < high for low, high in pairwise(quantiles))
        if not rises or MEDIAN not in quantiles[1:-1]:
            raise ValueError(
                f"{', '.join(f'{value:g}' for value in quantiles) or 'nothing'} is not possible; "
                "allowed: rising, with 0.5 (the median) and at least one on either side of it, such as [0.1, 0.5, 0.9]"
            )
        return quantiles

    @field_validator("targets")
    @classmethod
    def _every_target_once(cls, targets: list[str] | None) -> list[str] | None:
        twice = sorted({name for name in targets or [] if targets.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} more than once; allowed: each channel once")
        return targets

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Keys that have no meaning beside others, and why."""
        if self.quantiles and "loss" in self.model_fields_set:
            yield "loss", "has no meaning with quantiles, which have a loss of their own; allowed: to leave it out"
        if self.strategy == "recursive":
            if self.quantiles:
                yield (
                    "quantiles",
                    "of one step do not say how uncertain the steps after it are, which strategy 'recursive' would "
                    "need; allowed: with strategy: direct",
                )
            if self.targets:
                yield (
                    "targets",
                    "leaves channels that strategy 'recursive' would have to know for its next step; allowed: with "
                    "strategy: direct",
                )
