import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from snaketorch.config.datasets import Prepare, Split
from snaketorch.config.sources import SklearnSource, StatsmodelsSource
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.sources import sklearn, statsmodels
from snaketorch.data.sources.sklearn import grey_levels
from snaketorch.data.sources.statsmodels import fractional_years
from snaketorch.errors import DataError


def load_table(name, columns=None):
    source = StatsmodelsSource(kind="statsmodels", name=name, columns=columns)
    return statsmodels.load(PrepareSpec(dataset=name, source=source, split=Split(), prepare=Prepare()))


def test_digits_come_back_from_their_grey_levels():
    raw = sklearn.load(
        PrepareSpec(
            dataset="digits", source=SklearnSource(kind="sklearn", name="digits"), split=Split(), prepare=Prepare()
        )
    )
    images = raw.reader.samples
    original = load_digits()
    assert np.array_equal(np.rint(images[:, 0] * (16 / 255)), original.images)
    assert (images.min(), images.max()) == (0, 255)
    assert np.array_equal(raw.labels, original.target)
    assert raw.classes == tuple("0123456789")


@pytest.mark.parametrize("value", [17, -1, 0.5, np.nan])
def test_grey_levels_refuse_what_would_not_come_back(value):
    with pytest.raises(DataError, match="whole numbers from 0 to 16"):
        grey_levels(np.array([0, value, 16.0]), steps=16)


@pytest.mark.parametrize(
    ("name", "steps", "names", "first", "last"),
    [
        ("sunspots", 309, ("SUNACTIVITY",), 1700, 2008),
        ("nile", 100, ("volume",), 1871, 1970),
        ("co2", 2284, ("co2",), 1958 + 87 / 365, 2001 + 362 / 365),
        ("macrodata", 203, None, 1959, 2009.5),
    ],
)
def test_a_table_has_its_columns_and_its_time_in_years(name, steps, names, first, last):
    raw = load_table(name)
    assert len(raw.values) == steps
    assert names is None or raw.names == names
    assert raw.time_unit == "year"
    assert raw.time[[0, -1]] == pytest.approx([first, last])


def test_time_is_not_among_the_channels():
    names = load_table("macrodata").names
    assert len(names) == 12
    assert not {"year", "quarter"} & set(names)


def test_channels_come_in_the_order_that_is_asked_for():
    raw = load_table("macrodata", ["unemp", "cpi"])
    whole = load_table("macrodata")
    assert raw.names == ("unemp", "cpi")
    assert raw.units == ("%", "1982-84 = 100")
    assert np.array_equal(raw.values[:, 1], whole.values[:, whole.names.index("cpi")])


def test_missing_values_stay_missing():
    assert np.isnan(load_table("co2").values).sum() == 59


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["unmep"], "no column 'unmep'; did you mean 'unemp'[?]; allowed: realgdp, .*realint$"),
        (["quarter"], "no column 'quarter'"),
        (["cpi", "cpi"], "'cpi' is listed twice"),
    ],
)
def test_columns_that_cannot_be_taken_are_refused(columns, message):
    with pytest.raises(DataError, match=message):
        load_table("macrodata", columns)


def test_dates_become_years_and_fractions():
    dates = pd.DatetimeIndex(["2023-01-01", "2023-12-31", "2024-07-01", "2024-12-31"])
    assert fractional_years(dates) == pytest.approx([2023, 2023 + 364 / 365, 2024 + 182 / 366, 2024 + 365 / 366])
