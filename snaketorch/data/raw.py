"""What a source gives: samples as they came, checked, before anything is done to them."""

from dataclasses import dataclass

import numpy as np

from snaketorch.errors import DataError


@dataclass(frozen=True, eq=False)
class RawImages:
    """Labelled images.

    DataError when they cannot be what they claim: shapes and types that do not fit, labels outside
    the classes, a class without samples.
    """

    images: np.ndarray
    """uint8, (samples, channels, height, width), one or three channels."""
    labels: np.ndarray
    """int64, (samples,), each an index into ``classes``."""
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        images, labels = self.images, self.labels
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
            raise DataError(
                f"the images are {images.dtype} of shape {images.shape}; "
                "allowed: uint8 of shape (samples, channels, height, width) with 1 or 3 channels"
            )
        if images.size == 0:
            raise DataError(f"there are no images (shape {images.shape}); at least one sample a class is needed")
        if labels.dtype != np.int64 or labels.shape != images.shape[:1]:
            raise DataError(
                f"the labels are {labels.dtype} of shape {labels.shape}; allowed: int64 of shape {images.shape[:1]}"
            )
        if len(set(self.classes)) != len(self.classes):
            twice = sorted({name for name in self.classes if self.classes.count(name) > 1})
            raise DataError(f"class {', '.join(map(repr, twice))} is there twice; allowed: each class name once")
        outside = np.flatnonzero((labels < 0) | (labels >= len(self.classes)))
        if outside.size:
            raise DataError(
                f"{outside.size} labels are outside the classes, the first is {labels[outside[0]]} "
                f"of sample {outside[0]}; allowed: 0 to {len(self.classes) - 1}"
            )
        empty = np.flatnonzero(np.bincount(labels, minlength=len(self.classes)) == 0)
        if empty.size:
            names = ", ".join(repr(self.classes[index]) for index in empty)
            raise DataError(f"no sample is of class {names}; every class needs samples")


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
