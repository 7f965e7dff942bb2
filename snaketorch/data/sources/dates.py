"""A column of times: dates, or numbers that rise.

Dates are those of ISO 8601: `2020-02-01`, `2020-02-01 13:00`, `2020-02-01T13:00:00.5Z`,
`2020-02-01T13:00:00+01:00`; slashes may stand for the hyphens, and days may do without: `20200201`. Times with a
zone become UTC. A date that begins with the day or the month is refused, for 01/02/2020 can be either.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from snaketorch.config.problems import shortened
from snaketorch.data.times import DAYS, SECONDS
from snaketorch.errors import DataError

_DATE = r"^\d{4}[-/]\d{1,2}([-/]\d{1,2}([T ]\d{1,2}:\d\d(:\d\d([.,]\d{1,9})?)?( ?(Z|[+-]\d\d(:?\d\d)?))?)?)?$"
_EIGHT_DIGITS = r"^((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$"
_ZONE = r":\d\d.*(Z|[+-]\d\d(:?\d\d)?)$"
_ALLOWED = "dates such as 2020-02-01 or 2020-02-01T13:00:00Z, all of one kind, or numbers that rise"
_HOUR = 3600 * 10**6

Place = Callable[[int], str]
"""From a row to where it stands in a file."""


def read_times(column: pa.ChunkedArray, name: str, place: Place) -> tuple[np.ndarray, str]:
    """Times as float64 (rows,), and their unit: days or seconds since 1970 for dates, ``name`` for numbers.

    Dates are days where they are whole hours, else seconds: a float64 holds both exactly enough.
    DataError for a time that is missing, cannot be read, or does not come after the one before it.
    """
    if column.null_count:
        row = column.is_null().index(True).as_py()
        raise DataError(f"{place(row)}: '{name}' is missing; every row needs a time")
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.utf8_trim_whitespace(column)
    if (days := _without_hyphens(column, name, place)) is not None:
        return _from_microseconds(_read_dates(days, name, place), column, name, place)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        try:
            column = column.cast(pa.float64())
        except pa.ArrowInvalid:
            return _from_microseconds(_read_dates(column, name, place), column, name, place)
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        # a zone in the type is only how to show what is UTC
        microseconds = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64()).to_numpy()
        return _from_microseconds(microseconds, column, name, place)
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_decimal(column.type)):
        raise DataError(f"{place(0)}: '{name}' holds {column.type}; allowed: {_ALLOWED}")
    times = column.cast(pa.float64(), safe=False).to_numpy()
    odd = np.flatnonzero(~np.isfinite(times))
    if odd.size:
        raise DataError(f"{place(odd[0])}: '{name}' is {times[odd[0]]}; allowed: finite numbers")
    _check_rises(times, column, name, place)
    return times, name


def _without_hyphens(column: pa.ChunkedArray, name: str, place: Place) -> pa.ChunkedArray | None:
    """Days such as 20200201 with hyphens; None when the column does not hold such days.

    As numbers, 20200131 and 20200201 would be 70 apart. Among numbers that only count, few look like days.
    """
    if not (
        pa.types.is_integer(column.type) or pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    ):
        return None
    texts = column.cast(pa.string())
    is_day = pc.match_substring_regex(texts, _EIGHT_DIGITS)
    if 2 * (pc.sum(is_day).as_py() or 0) <= len(texts):
        return None
    row = is_day.index(False).as_py()
    if row >= 0:
        raise DataError(
            f"{place(row)}: '{name}' is '{shortened(texts[row].as_py())}', which is no day such as 20200201, as most "
            f"rows have it; allowed: {_ALLOWED}"
        )
    return pc.replace_substring_regex(texts, _EIGHT_DIGITS, r"\1-\2-\3")


def _from_microseconds(moments: np.ndarray, column: pa.ChunkedArray, name: str, place: Place) -> tuple[np.ndarray, str]:
    _check_rises(moments, column, name, place)
    if (moments % _HOUR == 0).all():
        return (moments // _HOUR) / 24, DAYS
    return moments / 10**6, SECONDS


def _read_dates(texts: pa.ChunkedArray, name: str, place: Place) -> np.ndarray:
    """int64, microseconds since 1970 (UTC where there is a zone)."""
    is_date = pc.match_substring_regex(texts, _DATE)
    row = is_date.index(False).as_py()
    if row >= 0:
        text = texts[row].as_py()
        why = "is no date or number"
        if pc.match_substring_regex(pa.array([text]), r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b")[0].as_py():
            why = "begins with the day or the month, which cannot be told apart"
        raise DataError(f"{place(row)}: '{name}' is '{shortened(text)}', which {why}; allowed: {_ALLOWED}")
    zoned = pc.match_substring_regex(texts, _ZONE)
    if pc.any(zoned).as_py() and not pc.all(zoned).as_py():
        row = zoned.index(not zoned[0].as_py()).as_py()
        with_zone = "with" if zoned[row].as_py() else "without"
        raise DataError(
            f"{place(row)}: '{name}' is '{texts[row].as_py()}', {with_zone} a time zone, unlike the rows before it; "
            "allowed: all with a zone, or all without"
        )
    plain = pc.replace_substring(texts, "/", "-").to_pandas()
    dates = pd.to_datetime(plain, format="ISO8601", utc=True, errors="coerce")
    if dates.isna().any():
        row = int(dates.isna().to_numpy().argmax())
        raise DataError(f"{place(row)}: '{name}' is '{texts[row].as_py()}', which is no day; allowed: {_ALLOWED}")
    return dates.dt.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64)


def _check_rises(times: np.ndarray, column: pa.ChunkedArray, name: str, place: Place) -> None:
    back = np.flatnonzero(np.diff(times) <= 0)
    if not back.size:
        return
    row = back[0] + 1
    now, before = (str(column[int(index)].as_py()) for index in (row, row - 1))
    problem = "is the time of the row before it too" if now == before else f"comes after '{before}'"
    raise DataError(
        f"{place(row)}: time does not go forwards: '{name}' '{now}' {problem}; allowed: rows in the order of time, "
        "each time once (local times repeat an hour in autumn: give the zone)"
    )
