"""A dataset file: where samples come from, how they are split, how they are prepared.

To add a source: one section here that names its implementation, and one line in ``Source``.
"""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from snaketorch.config.base import Positive, Section, Seed

Share = Annotated[float, Field(gt=0, lt=1)]

LABELLED_IMAGES = "labelled images"
SERIES = "a time series"


class SklearnSource(Section):
    """An image set that is installed with scikit-learn."""

    provides: ClassVar[str] = LABELLED_IMAGES
    implementation: ClassVar[str] = "snaketorch.data.sources.sklearn:load"

    kind: Literal["sklearn"]
    name: Literal["digits"]
    """`digits`: 1,797 grey images of 8x8 pixels in ten classes."""


class StatsmodelsSource(Section):
    """A time series that is installed with statsmodels."""

    provides: ClassVar[str] = SERIES
    implementation: ClassVar[str] = "snaketorch.data.sources.statsmodels:load"

    kind: Literal["statsmodels"]
    name: Literal["sunspots", "nile", "co2", "macrodata"]
    """`sunspots` (309 years), `nile` (100 years), `co2` (2,284 weeks, with gaps), `macrodata` (203 quarters)."""
    columns: Annotated[list[str], Field(min_length=1)] | None = None
    """Channels to take, by column name; all numeric ones when absent."""


Source = Annotated[SklearnSource | StatsmodelsSource, Field(discriminator="kind")]


class Split(Section):
    """Shares held out from training. A series is cut by time: train, then val, then test."""

    val: Share = 0.1
    """Share of all samples for validation."""
    test: Share = 0.2
    """Share of all samples for the test."""
    seed: Seed = 0
    """Which random split; not for a series."""
    stratify: bool = True
    """Keep the balance of the classes in every split; not for a series."""

    @model_validator(mode="after")
    def _leave_something_to_train_on(self) -> Self:
        if self.val + self.test >= 1:
            raise ValueError(
                f"val ({self.val:g}) and test ({self.test:g}) leave nothing to train on; allowed: a sum below 1"
            )
        return self


class Prepare(Section):
    """What is done once to every sample, before any training."""

    size: Annotated[list[Positive], Field(min_length=2, max_length=2)] | None = None
    """Height and width in pixels to resize images to; as they come when absent."""
    channels: Literal[1, 3] | None = None
    """Grey (1) or colour (3) images; as they come when absent."""
    missing: Literal["error", "forward_fill"] = "error"
    """What to do with missing values of a series: refuse it, or repeat the last known value."""


class DatasetConfig(Section):
    """One file under `config/datasets/`."""

    source: Source
    """Where the samples come from."""
    split: Split = Split()
    """What is held out from training."""
    prepare: Prepare = Prepare()
    """What is done once, before any training."""
