import numpy as np
import pytest

from snaketorch.evaluation.linear import linear
from snaketorch.evaluation.ridge import PENALTIES, fit_ridge

TRAIN, VAL, TOTAL = 200, 50, 300


def forecast_of(values, window=12, horizon=4):
    first = np.arange(TRAIN + VAL, TOTAL - horizon + 1)
    truth = values[first[:, None] + np.arange(horizon)]
    return linear(values, TRAIN, TRAIN + VAL, first, window, horizon), truth


def test_a_sum_of_waves_is_forecast_as_it_goes_on():
    time = np.arange(TOTAL)[:, None]
    values = 500 + np.array([3.0, 1000.0]) * (np.sin(time / 3) + 0.5 * np.cos(time / 7))
    forecast, truth = forecast_of(values)
    assert np.abs(forecast - truth).max(axis=(0, 1)) == pytest.approx([0, 0], abs=1e-3 * 1000)
    assert np.abs(forecast - truth)[..., 0].max() < 0.003


def test_a_line_goes_on_beyond_what_was_seen():
    forecast, truth = forecast_of(np.arange(TOTAL, dtype=float)[:, None])
    assert np.abs(forecast - truth).max() < 0.05


def test_a_channel_that_never_changes_stays_where_it_is():
    forecast, _ = forecast_of(np.full((TOTAL, 1), 7.0))
    assert np.array_equal(forecast, np.full_like(forecast, 7.0))


def test_nothing_of_the_test_split_is_learnt():
    values = np.random.default_rng(0).normal(size=(TOTAL, 1)).cumsum(0)
    changed = values.copy()
    changed[TRAIN + VAL :] += 100
    assert np.array_equal(forecast_of(values)[0][0], forecast_of(changed)[0][0])


def test_channels_do_not_see_each_other():
    values = np.random.default_rng(0).normal(size=(TOTAL, 2)).cumsum(0)
    both, _ = forecast_of(values)
    alone, _ = forecast_of(values[:, 1:])
    assert np.array_equal(both[..., 1:], alone)


def test_more_features_than_samples_are_no_problem():
    random = np.random.default_rng(0)
    features, weights = random.normal(size=(80, 60)), random.normal(size=(60, 2))
    targets = 3 + features @ weights + random.normal(size=(80, 2))
    blocks = [(features[rows], targets[rows]) for rows in (slice(0, 20), slice(20, 40), slice(40, 80))]
    ridge = fit_ridge(lambda: blocks[:2], lambda: blocks[2:])
    error = np.square(ridge(features[40:]) - targets[40:]).mean()
    assert np.isfinite(ridge.weights).all()
    assert error < np.square(targets[:40].mean(0) - targets[40:]).mean()


def test_the_regression_is_that_of_least_squares_where_the_penalty_is_small():
    random = np.random.default_rng(0)
    features = random.normal(size=(400, 3))
    targets = features @ np.array([[1.0], [-2.0], [0.0]]) + 5 + 0.01 * random.normal(size=(400, 1))
    pair = [(features, targets)]
    ridge = fit_ridge(lambda: pair, lambda: pair)
    exact, *_ = np.linalg.lstsq(np.column_stack([features, np.ones(400)]), targets, rcond=None)
    assert np.vstack([ridge.weights, ridge.offset]) == pytest.approx(exact, abs=10 * PENALTIES[0])


def test_features_that_are_the_same_twice_share_the_weight():
    feature = np.random.default_rng(0).normal(size=(50, 1))
    pair = [(np.hstack([feature, feature]), 4 * feature)]
    ridge = fit_ridge(lambda: pair, lambda: pair)
    assert ridge.weights[:, 0] == pytest.approx([2, 2], rel=1e-4)
