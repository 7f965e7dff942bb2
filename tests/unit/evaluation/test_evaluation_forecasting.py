from types import SimpleNamespace

import numpy as np
import pytest

from snaketorch.errors import UserError
from snaketorch.evaluation.forecasting import apart, evaluate
from snaketorch.evaluation.outcome import Case

TRAIN, VAL, TEST = 40, 10, 20
WINDOW, HORIZON = 6, 3


def series(channels=1, seed=0):
    return (np.random.default_rng(seed).normal(size=(TRAIN + VAL + TEST, channels)).cumsum(0) * 7 + 50).astype(
        np.float32
    )


def make_case(
    values,
    season=None,
    horizon=HORIZON,
    metrics=("mae", "rmse", "mase"),
    error=1.5,
    units=None,
    targets=None,
    bands=None,
):
    """A model that is ``error`` too high, on every window of the test split.

    ``bands``: how far each quantile is from the truth, by its level.
    """
    channels = values.shape[1]
    bounds = {"train": slice(0, TRAIN), "val": slice(TRAIN, TRAIN + VAL), "test": slice(TRAIN + VAL, None)}
    time = 1900.0 + np.arange(len(values))
    manifest = SimpleNamespace(
        dataset="flow",
        fields={
            "value": {"names": [f"channel {i}" for i in range(channels)], "units": units or ["m³"] * channels},
            "time": {"unit": "year"},
        },
        arrays=lambda split: {"value": values[bounds[split]], "time": time[bounds[split]]},
    )
    index = np.arange(TEST - horizon + 1)
    target = np.stack([values[TRAIN + VAL + i : TRAIN + VAL + i + horizon] for i in index])
    quantiles = list(bands) if bands else None
    options = SimpleNamespace(window=WINDOW, horizon=horizon, season=season, targets=targets, quantiles=quantiles)
    if targets:
        target = target[:, :, [int(name.removeprefix("channel ")) for name in targets]]
    predictions = {"forecast": target + np.float32(error), "target": target, "index": index}
    if bands:
        predictions["quantiles"] = target[..., None] + np.array(list(bands.values()), np.float32)
    return Case(options, manifest, predictions, list(metrics), 2, task=None)


def by_hand(values, season, horizon, forecast):
    """MAE, RMSE and MASE by loops over every window, step and channel; ``forecast`` gets (row, step, channel)."""
    lag, values = season or 1, values.astype(np.float64)
    scale = [
        np.mean([abs(values[t, c] - values[t - lag, c]) for t in range(lag, TRAIN)]) for c in range(values.shape[1])
    ]
    errors, scaled = [], []
    for first in range(TRAIN + VAL, len(values) - horizon + 1):
        for step in range(horizon):
            for channel in range(values.shape[1]):
                error = forecast(values, first, step, channel) - values[first + step, channel]
                errors.append(error)
                scaled.append(abs(error) / scale[channel])
    return {"mae": np.mean(np.abs(errors)), "rmse": np.mean(np.square(errors)) ** 0.5, "mase": np.mean(scaled)}


FORECASTERS = {
    "model": lambda values, first, step, channel: values[first + step, channel] + 1.5,
    "persistence": lambda values, first, step, channel: values[first - 1, channel],
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("season", [None, 2, 5, 30], ids="season {}".format)
def test_metrics_are_those_computed_by_hand(channels, season):
    values = series(channels)

    def seasonal(values, first, step, channel):
        row = first + step
        while row >= first:
            row -= season
        return values[row, channel]

    outcome = evaluate(make_case(values, season))
    assert outcome.metrics == pytest.approx(by_hand(values, season, HORIZON, FORECASTERS["model"]), rel=1e-5)
    expected = {"persistence": FORECASTERS["persistence"]} | ({"seasonal_naive": seasonal} if season else {})
    assert list(outcome.baselines) == [*expected, "linear"]
    for name, forecast in expected.items():
        assert outcome.baselines[name] == pytest.approx(by_hand(values, season, HORIZON, forecast), rel=1e-5)


def test_steps_and_channels_average_to_the_whole():
    outcome = evaluate(make_case(series(2), season=5))
    for part, size in (("per_step", HORIZON), ("per_channel", 2)):
        rows = outcome.details[part]
        assert len(rows) == size
        for name, whole in {"model": outcome.metrics, **outcome.baselines}.items():
            for metric in ("mae", "mase"):
                assert np.mean([row[name][metric] for row in rows]) == pytest.approx(whole[metric])
            assert np.mean([row[name]["rmse"] ** 2 for row in rows]) == pytest.approx(whole["rmse"] ** 2)
    assert [row["step"] for row in outcome.details["per_step"]] == [1, 2, 3]
    assert [row["channel"] for row in outcome.details["per_channel"]] == ["channel 0", "channel 1"]


def test_persistence_gets_worse_step_by_step_on_a_line():
    values = np.arange(TRAIN + VAL + TEST, dtype=np.float32)[:, None]
    outcome = evaluate(make_case(values))
    assert [row["persistence"]["mae"] for row in outcome.details["per_step"]] == pytest.approx([1, 2, 3])
    assert outcome.details["scale"] == {"lag": 1, "values": [1.0]}
    assert outcome.metrics["mase"] == pytest.approx(1.5)


def test_a_training_split_that_repeats_itself_leaves_the_scaled_error_undefined():
    values = series()
    values[:TRAIN] = np.tile([[1.0], [2.0], [4.0], [8.0]], (TRAIN // 4, 1))
    outcome = evaluate(make_case(values, season=4))
    assert outcome.metrics["mase"] is None
    assert outcome.metrics["mae"] == pytest.approx(1.5, rel=1e-5)


@pytest.mark.parametrize(
    ("units", "says"), [(["m³", "m³"], "mean absolute error (m³) of"), (["m³", "°C"], "mean absolute error of")]
)
def test_errors_of_channels_that_nothing_scales_have_a_unit_where_it_is_one(units, says):
    values = series(2)
    values[:TRAIN, 1] = 3
    figure = evaluate(make_case(values, units=units)).figures["error_by_step"]
    assert says in figure.get_label()


def test_metrics_that_are_not_asked_for_are_not_measured():
    outcome = evaluate(make_case(series(), metrics=["rmse"]))
    assert list(outcome.metrics) == ["rmse"]
    assert list(outcome.baselines["persistence"]) == ["rmse"]


def test_every_step_of_every_window_is_in_the_table():
    values = series(2)
    table = evaluate(make_case(values, season=5)).predictions.to_pandas()
    assert len(table) == (TEST - HORIZON + 1) * HORIZON * 2
    row = table[(table.window == 4) & (table.step == 3) & (table.channel == "channel 1")].iloc[0]
    at = TRAIN + VAL + 4 + 2
    assert row.time == 1900 + at
    assert row.truth == values[at, 1]
    assert row.forecast == pytest.approx(values[at, 1] + 1.5, rel=1e-6)
    assert row.persistence == values[TRAIN + VAL + 3, 1]
    assert row.seasonal_naive == values[at - 5, 1]


def test_without_a_season_its_column_is_empty():
    assert evaluate(make_case(series())).predictions["seasonal_naive"].null_count == (TEST - HORIZON + 1) * HORIZON


def test_of_chosen_channels_only_they_are_tested():
    values = series(3)
    case = make_case(values, targets=["channel 2", "channel 0"])
    outcome = evaluate(case)
    assert [row["channel"] for row in outcome.details["per_channel"]] == ["channel 2", "channel 0"]
    expected = by_hand(values[:, [2, 0]], None, HORIZON, FORECASTERS["persistence"])
    assert outcome.baselines["persistence"] == pytest.approx(expected, rel=1e-5)


def test_quantiles_are_measured_by_their_own_loss_and_by_what_lies_between_them():
    metrics = ["mae", "pinball", "coverage_error", "interval_width"]
    bands = {0.1: -2.0, 0.5: 0.5, 0.8: 4.0}
    outcome = evaluate(make_case(series(2), metrics=metrics, error=0.5, bands=bands))
    assert outcome.metrics == pytest.approx(
        # all values lie in an interval that should hold 70 % of them
        {"mae": 0.5, "pinball": (0.1 * 2 + 0.5 * 0.5 + 0.2 * 4) / 3, "coverage_error": 0.3, "interval_width": 6.0},
        rel=1e-5,
    )
    assert set(outcome.baselines["linear"]) == {"mae"}
    assert [row["share_below"] for row in outcome.details["per_quantile"]] == [0, 1, 1]
    assert outcome.details["notes"] == [
        "100.0% of the values lie in the interval from the 0.1 to the 0.8 quantile; 70.0% would be right."
    ]
    table = outcome.predictions.to_pandas()
    assert np.allclose(table["quantile_0.8"] - table["truth"], 4, atol=1e-4)
    labels = {text for axes in outcome.figures["worst"].axes for text in axes.get_legend_handles_labels()[1]}
    assert "70% interval" in labels


def test_a_training_split_too_short_for_a_linear_forecast_has_none():
    case = make_case(series())
    case.options.window = TRAIN - HORIZON + 1
    outcome = evaluate(case)
    assert list(outcome.baselines) == ["persistence"]
    assert outcome.predictions["linear"].null_count == len(outcome.predictions)


def test_a_season_longer_than_the_training_split_is_refused():
    with pytest.raises(UserError, match=r"task.season is 40 steps, .* dataset 'flow' has only 40"):
        evaluate(make_case(series(), season=TRAIN))


def test_targets_that_are_not_where_the_index_says_are_noticed():
    case = make_case(series())
    case.predictions["index"] = case.predictions["index"][::-1].copy()
    with pytest.raises(RuntimeError, match="are not the steps of the series"):
        evaluate(case)


@pytest.mark.parametrize("horizon", [1, HORIZON])
def test_every_kind_of_figure_is_drawn(horizon):
    figures = evaluate(make_case(series(2), season=5, horizon=horizon, units=["m³", "°C"])).figures
    assert set(figures) == {"forecast", "error_by_step", "worst", "best"}
    assert len(figures["forecast"].axes) == 2 * len({1, horizon})
    assert figures["error_by_step"].axes[0].get_ylabel() == "mean absolute scaled error"


def test_the_worst_windows_come_first_and_share_no_step():
    case = make_case(series(), error=0)
    case.predictions["forecast"][7] += 9
    case.predictions["forecast"][8] += 8
    case.predictions["forecast"][12] += 7
    worst = [axes.get_title(loc="left") for axes in evaluate(case).figures["worst"].axes]
    assert worst == [f"{1900 + TRAIN + VAL + 7}: off by 9", f"{1900 + TRAIN + VAL + 12}: off by 7"]


def test_windows_that_share_a_step_are_not_both_chosen():
    assert apart(np.array([5, 4, 7, 8, 0]), np.arange(9), horizon=3, count=3) == [5, 8, 0]
    assert apart(np.array([1, 0]), np.arange(2), horizon=3, count=5) == [1]
