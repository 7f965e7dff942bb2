"""What the forecasters of a test said of the same windows of a series, and what happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from snaketorch.data.manifest import SPLITS, Manifest
from snaketorch.evaluation.quantiles import Quantiles
from snaketorch.tasks.forecasting import chosen_channels


@dataclass(frozen=True)
class Series:
    """The channels to forecast over the whole series: training, validation, test, in double precision."""

    values: np.ndarray
    """(T, C)"""
    time: np.ndarray
    """(T,)"""
    unit: str
    """Of time."""
    channels: tuple[str, ...]
    units: tuple[str, ...]
    """Of the channels; empty texts where a number is bare."""
    training: int
    """Rows of the training split."""
    test: int
    """First row of the test split."""

    @classmethod
    def of(cls, manifest: Manifest, targets: Sequence[str] | None) -> "Series":
        """With the channels ``targets``; with all when None."""
        arrays = [manifest.arrays(split) for split in SPLITS]
        value = manifest.fields["value"]
        chosen = chosen_channels(value["names"], targets)
        units = value.get("units", [""] * len(value["names"]))
        return cls(
            values=np.concatenate([part["value"][:, chosen] for part in arrays]).astype(np.float64),
            time=np.concatenate([part["time"] for part in arrays]),
            unit=manifest.fields["time"].get("unit", ""),
            channels=tuple(value["names"][place] for place in chosen),
            units=tuple(units[place] for place in chosen),
            training=len(arrays[0]["value"]),
            test=sum(len(part["value"]) for part in arrays[:-1]),
        )

    def label(self, channel: int) -> str:
        """A channel's name with its unit."""
        unit = self.units[channel]
        return f"{self.channels[channel]} ({unit})" if unit else self.channels[channel]


@dataclass(frozen=True)
class Forecasts:
    """Every forecaster's values for the same windows."""

    series: Series
    first: np.ndarray
    """Row of each window's first forecast step (N,), in the whole series."""
    truth: np.ndarray
    """(N, H, C)"""
    values: Mapping[str, np.ndarray]
    """By forecaster, each (N, H, C)."""
    scale: np.ndarray
    """What divides an error of each channel (C,) in the MASE."""
    quantiles: Quantiles | None
    """The model's."""

    @property
    def rows(self) -> np.ndarray:
        """Row of each step (N, H) in the whole series."""
        return self.first[:, None] + np.arange(self.truth.shape[1])

    def errors(self, forecaster: str) -> np.ndarray:
        return self.values[forecaster] - self.truth
