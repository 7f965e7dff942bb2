"""A time series made ready: filled, cut by time, measured."""

import logging
from functools import partial
from typing import Literal

import numpy as np

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.missing import fill_missing
from snaketorch.data.prepared import Prepared
from snaketorch.data.preview.series import draw_series
from snaketorch.data.quality.report import DataReport
from snaketorch.data.quality.series import examine_series
from snaketorch.data.raw.series import RawSeries
from snaketorch.data.split import split_by_time
from snaketorch.data.statistics import channel_statistics, check_that_some_change
from snaketorch.data.store import Store
from snaketorch.data.times import describe_steps
from snaketorch.errors import DataError

log = logging.getLogger(__name__)


def prepare_series(raw: RawSeries, spec: PrepareSpec, store: Store) -> Prepared:
    """Fields `value` (float32, one number a channel) and `time` (float64), in the order of time.

    DataError when values are missing or too large, no channel changes, or a split cannot be made.
    """
    steps, channels = raw.values.shape
    log.info("%d steps; channels: %s", steps, ", ".join(raw.names))
    facts = {**raw.facts, "steps": steps, "channels": channels, **describe_steps(raw.time, raw.time_unit)}
    if facts.get("gaps"):
        log.warning("steps are left out in %d places; the longest is %s", facts["gaps"], facts["longest gap"])
    missing = np.isnan(raw.values).sum(axis=0)
    if missing.any():
        facts["values filled"] = {name: int(count) for name, count in zip(raw.names, missing, strict=True) if count}
    series, values = filled_series(raw, spec.prepare.missing)
    rows = split_by_time(steps, spec.split)
    for name, members in rows.items():
        store.write(name, "value", values[members])
        store.write(name, "time", series.time[members])
    train = store.read("train", "value")
    check_that_some_change(train, series.names)
    starts = {name: int(members[0]) for name, members in rows.items()}
    return Prepared(
        fields={
            "value": {
                "dtype": "float32",
                "shape": [channels],
                "names": list(series.names),
                "units": list(series.units),
                "statistics": channel_statistics(train),
            },
            "time": {"dtype": "float64", "shape": [], "unit": series.time_unit},
        },
        splits={name: {"count": len(members), "start": starts[name]} for name, members in rows.items()},
        draw=partial(draw_series, title=spec.dataset, series=series, starts=starts),
        report=DataReport(findings=examine_series(store, series.names), facts=facts),
    )


def filled_series(raw: RawSeries, how: Literal["error", "forward_fill"]) -> tuple[RawSeries, np.ndarray]:
    """The series without missing values, and these as float32 (steps, channels).

    DataError when values are missing and must not be, or are too large.
    """
    series = fill_missing(raw, how)
    return series, _as_float32(series)


def _as_float32(series: RawSeries) -> np.ndarray:
    largest = np.finfo(np.float32).max
    for channel, name in enumerate(series.names):
        row = int(np.abs(series.values[:, channel]).argmax())
        value = series.values[row, channel]
        if abs(value) > largest:
            raise DataError(f"'{name}' is {value:g} at row {row}; allowed: up to {largest:g} (float32)")
    return series.values.astype(np.float32)
