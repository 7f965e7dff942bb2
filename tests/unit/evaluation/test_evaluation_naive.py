import numpy as np
import pytest

from snaketorch.evaluation.naive import naive_scale, persistence, seasonal_naive

SERIES = np.stack([np.arange(20.0), 100 - np.arange(20.0) ** 2], axis=1)


def test_persistence_repeats_the_value_before_the_first_step():
    forecast = persistence(SERIES, np.array([5, 12]), horizon=3)
    assert forecast.shape == (2, 3, 2)
    assert forecast[:, :, 0].tolist() == [[4, 4, 4], [11, 11, 11]]


def test_the_seasonal_forecast_is_the_value_one_season_before():
    forecast = seasonal_naive(SERIES, np.array([5, 12]), horizon=3, season=4)
    assert forecast[:, :, 0].tolist() == [[1, 2, 3], [8, 9, 10]]
    assert forecast[0, 1].tolist() == SERIES[2].tolist()


def test_beyond_one_season_the_last_known_season_is_repeated():
    forecast = seasonal_naive(SERIES, np.array([6]), horizon=5, season=2)
    assert forecast[0, :, 0].tolist() == [4, 5, 4, 5, 4]


def test_a_season_of_one_step_is_persistence():
    first = np.array([3, 9])
    np.testing.assert_array_equal(seasonal_naive(SERIES, first, 4, 1), persistence(SERIES, first, 4))


@pytest.mark.parametrize("lag", [1, 3])
def test_the_scale_is_the_mean_change_over_a_lag(lag):
    changes = [abs(SERIES[t] - SERIES[t - lag]) for t in range(lag, 20)]
    np.testing.assert_allclose(naive_scale(SERIES, lag), np.mean(changes, axis=0))


def test_a_series_that_repeats_itself_but_for_rounding_has_no_scale():
    wave = np.sin(2 * np.pi * np.arange(96) / 24).astype(np.float32)[:, None]
    assert np.abs(wave[24:] - wave[:-24]).any()
    assert naive_scale(wave, 24).tolist() == [0]
    assert naive_scale(wave, 12)[0] > 1
