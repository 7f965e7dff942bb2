"""Time series that are installed with statsmodels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels import datasets

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.raw.series import RawSeries
from snaketorch.data.sources.columns import choose_columns


def load(spec: PrepareSpec) -> RawSeries:
    """The series that ``spec.source.name`` names, with its time in years.

    DataError for a column that is not there, or is named twice.
    """
    options = spec.source
    table = _TABLES[options.name]
    frame = getattr(datasets, options.name).load_pandas().data
    time = table.time(frame)
    channels = frame.drop(columns=list(table.time_columns)).select_dtypes("number")
    names = choose_columns(options.columns, list(channels.columns))
    return RawSeries(
        values=channels[names].to_numpy(np.float64),
        names=tuple(names),
        units=tuple(table.units[name] for name in names),
        time=time,
        time_unit="year",
    )


def fractional_years(dates: pd.DatetimeIndex) -> np.ndarray:
    """Dates as years: the first of January is the whole year, the first of July about half a year later."""
    days = 365 + dates.is_leap_year
    return (dates.year + (dates.day_of_year - 1) / days).to_numpy(np.float64)


@dataclass(frozen=True)
class _Table:
    """What statsmodels says about a table only in prose."""

    time: Callable[[pd.DataFrame], np.ndarray]
    time_columns: tuple[str, ...]
    units: dict[str, str]


_TABLES = {
    "sunspots": _Table(
        time=lambda frame: frame["YEAR"].to_numpy(np.float64),
        time_columns=("YEAR",),
        units={"SUNACTIVITY": "sunspots"},
    ),
    "nile": _Table(
        time=lambda frame: frame["year"].to_numpy(np.float64),
        time_columns=("year",),
        units={"volume": "10⁸ m³"},
    ),
    "co2": _Table(
        time=lambda frame: fractional_years(frame.index),
        time_columns=(),
        units={"co2": "ppmv"},
    ),
    "macrodata": _Table(
        time=lambda frame: (frame["year"] + (frame["quarter"] - 1) / 4).to_numpy(np.float64),
        time_columns=("year", "quarter"),
        units={
            "realgdp": "10⁹ US$ of 2005",
            "realcons": "10⁹ US$ of 2005",
            "realinv": "10⁹ US$ of 2005",
            "realgovt": "10⁹ US$ of 2005",
            "realdpi": "10⁹ US$ of 2005",
            "cpi": "1982-84 = 100",
            "m1": "10⁹ US$",
            "tbilrate": "%",
            "unemp": "%",
            "pop": "million",
            "infl": "%",
            "realint": "%",
        },
    ),
}
