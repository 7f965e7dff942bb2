"""Missing values of a series: found, named, filled."""

import logging
from dataclasses import replace
from typing import Literal

import numpy as np

from snaketorch.data.raw.series import RawSeries
from snaketorch.data.times import say_time
from snaketorch.errors import DataError

log = logging.getLogger(__name__)

GAPS_TO_NAME = 3


def fill_missing(series: RawSeries, how: Literal["error", "forward_fill"]) -> RawSeries:
    """The series without missing values.

    Filling repeats the last known value: it looks only backwards, so nothing of the test's time
    reaches the training. DataError when values are missing and must not be, or when nothing is known
    before a gap.
    """
    missing = np.isnan(series.values)
    if not missing.any():
        return series
    found = "; ".join(
        _describe(name, missing[:, channel], series)
        for channel, name in enumerate(series.names)
        if missing[:, channel].any()
    )
    if how == "error":
        raise DataError(
            f"values are missing: {found}. "
            "Set `prepare: {missing: forward_fill}` to repeat the last known value, or leave the column out"
        )
    leading = np.flatnonzero(missing[0])
    if leading.size:
        raise DataError(
            f"prepare.missing: forward_fill cannot fill the start of {', '.join(series.names[i] for i in leading)}: "
            f"no value is known before the gap; {found}. Leave the column out"
        )
    log.info("filled with the last known value: %s", found)
    return replace(series, values=forward_fill(series.values))


def forward_fill(values: np.ndarray) -> np.ndarray:
    """The last known value in the place of each that is missing; values: (steps, channels), the first row known."""
    missing = np.isnan(values)
    rows = np.arange(len(values))[:, None]
    last_known = np.maximum.accumulate(np.where(missing, 0, rows), axis=0)
    return np.take_along_axis(values, last_known, axis=0)


def _describe(name: str, missing: np.ndarray, series: RawSeries) -> str:
    """``co2: 59 of 2284 values in 20 gaps, at rows 6 (1958.35), 9-13, ...``; ``missing``: bool, (steps,)."""
    edges = np.diff(missing.astype(np.int8), prepend=0, append=0)
    gaps = list(zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1, strict=True))
    places = [
        f"{first}{f'-{last}' if last > first else ''} ({say_time(float(series.time[first]), series.time_unit)})"
        for first, last in gaps[:GAPS_TO_NAME]
    ]
    if len(gaps) > GAPS_TO_NAME:
        places.append(f"and {len(gaps) - GAPS_TO_NAME} more gaps")
    return f"{name}: {missing.sum()} of {len(missing)} values, rows {', '.join(places)}"
