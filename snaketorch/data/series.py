"""A time series made ready: filled, cut by time, measured."""

import logging
from functools import partial
from math import fsum, sqrt

import numpy as np

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.missing import fill_missing
from snaketorch.data.prepared import Prepared, PreparedSplit
from snaketorch.data.preview import draw_series
from snaketorch.data.raw import RawSeries
from snaketorch.data.split import split_by_time
from snaketorch.errors import DataError

log = logging.getLogger(__name__)


def prepare_series(raw: RawSeries, spec: PrepareSpec) -> Prepared:
    """Fields `value` (float32, one number a channel) and `time` (float64), in the order of time.

    DataError when values are missing or too large, or a split cannot be made.
    """
    steps, channels = raw.values.shape
    log.info("%d steps; channels: %s", steps, ", ".join(raw.names))
    series = fill_missing(raw, spec.prepare.missing)
    values = _as_float32(series)
    rows = split_by_time(steps, spec.split)
    starts = {name: int(members[0]) for name, members in rows.items()}
    splits = {
        name: PreparedSplit({"value": values[members], "time": series.time[members]}, {"start": starts[name]})
        for name, members in rows.items()
    }
    statistics = channel_statistics(splits["train"].arrays["value"], series.names)
    return Prepared(
        fields={
            "value": {
                "dtype": "float32",
                "shape": [channels],
                "names": list(series.names),
                "units": list(series.units),
                "statistics": statistics,
            },
            "time": {"dtype": "float64", "shape": [], "unit": series.time_unit},
        },
        splits=splits,
        draw=partial(draw_series, title=spec.dataset, series=series, starts=starts),
    )


def _as_float32(series: RawSeries) -> np.ndarray:
    largest = np.finfo(np.float32).max
    for channel, name in enumerate(series.names):
        row = int(np.abs(series.values[:, channel]).argmax())
        value = series.values[row, channel]
        if abs(value) > largest:
            raise DataError(f"'{name}' is {value:g} at row {row}; allowed: up to {largest:g} (float32)")
    return series.values.astype(np.float32)


def channel_statistics(values: np.ndarray, names: tuple[str, ...]) -> dict[str, list[float]]:
    """Mean and standard deviation of each channel; values: (steps, channels).

    Summed exactly, so the same on every machine, in whatever order its processor adds. DataError
    when a channel does not change: there is nothing to learn from it, and nothing to divide by.
    """
    mean, std = [], []
    for name, channel in zip(names, values.T.astype(np.float64), strict=True):
        if (channel == channel[0]).all():
            raise DataError(f"'{name}' is {channel[0]:g} all through the training split; leave the column out")
        mean.append(fsum(channel) / len(channel))
        std.append(sqrt(fsum((channel - mean[-1]) ** 2) / len(channel)))
    return {"mean": mean, "std": std}
