import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snaketorch.data.missing import fill_missing
from snaketorch.data.raw.series import RawSeries
from snaketorch.errors import DataError

NAN = float("nan")


def test_a_series_without_gaps_stays_as_it_is(series):
    raw = series([1, 2, 3])
    assert fill_missing(raw, "error") is raw
    assert fill_missing(raw, "forward_fill") is raw


def test_missing_values_are_counted_and_located_for_each_channel(series):
    raw = series([1, NAN, NAN, 4, NAN, 6], [1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, NAN])
    with pytest.raises(DataError) as caught:
        fill_missing(raw, "error")
    message = str(caught.value)
    assert "a: 3 of 6 values, rows 1-2 (year 2001), 4 (year 2004)" in message
    assert "c: 1 of 6 values, rows 5 (year 2005)" in message
    assert "b:" not in message
    assert "forward_fill" in message


def test_many_gaps_are_not_all_listed(series):
    with pytest.raises(DataError, match=r"5 of 10 values, rows 1 .*, 3 .*, 5 \(year 2005\), and 2 more gaps"):
        fill_missing(series([0, NAN] * 5), "error")


def test_gaps_are_filled_with_the_last_known_value(series, caplog):
    caplog.set_level(logging.INFO)
    filled = fill_missing(series([1, NAN, NAN, 4, NAN], [5, 6, NAN, NAN, 9]), "forward_fill")
    assert filled.values.T.tolist() == [[1, 1, 1, 4, 4], [5, 6, 6, 6, 9]]
    assert "a: 3 of 5 values" in caplog.text


def test_a_gap_at_the_start_cannot_be_filled(series):
    with pytest.raises(DataError, match=r"cannot fill the start of b: .*b: 2 of 4 values, rows 0-1"):
        fill_missing(series([1, NAN, 3, 4], [NAN, NAN, 3, 4]), "forward_fill")


@given(st.lists(st.one_of(st.just(NAN), st.floats(-10, 10)), min_size=1, max_size=30), st.integers(1, 30))
def test_what_is_filled_in_does_not_depend_on_the_future(values, now):
    values = np.array([[0.0], *([value] for value in values)])

    def filled(part):
        raw = RawSeries(part, ("a",), ("",), np.arange(len(part), dtype=np.float64), "year")
        return fill_missing(raw, "forward_fill").values

    assert np.array_equal(filled(values)[:now], filled(values[:now]))
    assert not np.isnan(filled(values)).any()
