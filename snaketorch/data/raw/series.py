"""A time series as it came."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from snaketorch.errors import DataError


@dataclass(frozen=True, eq=False)
class RawSeries:
    """A series in the order of time; values may be missing (NaN).

    DataError when it is empty, a value is infinite, or time does not go forwards.
    """

    values: np.ndarray
    """float32 or float64, (steps, channels)."""
    names: tuple[str, ...]
    """Of the channels."""
    units: tuple[str, ...]
    """Of the channels; an empty text for a bare number."""
    time: np.ndarray
    """float64, (steps,), in ``time_unit``, rising."""
    time_unit: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the data report should say of the source, by a name for people, as JSON."""

    def __post_init__(self) -> None:
        values, time = self.values, self.time
        if values.dtype not in (np.float32, np.float64) or values.ndim != 2:
            raise DataError(
                f"the values are {values.dtype} of shape {values.shape}; allowed: floats of shape (steps, channels)"
            )
        if values.size == 0:
            raise DataError(f"the series is empty (shape {values.shape}); at least one step and one channel is needed")
        if not len(self.names) == len(self.units) == values.shape[1]:
            raise DataError(
                f"{values.shape[1]} channels have {len(self.names)} names and {len(self.units)} units; "
                "allowed: one each"
            )
        if time.dtype != np.float64 or time.shape != values.shape[:1]:
            raise DataError(f"time is {time.dtype} of shape {time.shape}; allowed: float64 of shape {values.shape[:1]}")
        if not np.isfinite(time).all():
            raise DataError(f"time is missing at row {np.flatnonzero(~np.isfinite(time))[0]}; every row needs a time")
        back = np.flatnonzero(np.diff(time) <= 0)
        if back.size:
            row = back[0] + 1
            raise DataError(
                f"time does not go forwards: row {row} is at {time[row]:.10g} ({self.time_unit}), the row before it "
                f"at {time[row - 1]:.10g}; allowed: rows in the order of time, each time once"
            )
        infinite = np.argwhere(np.isinf(values))
        if len(infinite):
            row, channel = infinite[0]
            raise DataError(f"'{self.names[channel]}' is infinite at row {row}; allowed: finite numbers, or missing")
