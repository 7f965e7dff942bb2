"""The test of a forecaster, beside forecasts that need no training, or little, on the same windows.

The mean absolute scaled error (Hyndman and Koehler 2006, doi:10.1016/j.ijforecast.2006.03.001) divides
errors by those of a naive forecast on the training split, for each channel: of the value one season
before where the task has a season, else of the last value. Below 1 is better than that forecast was.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib.figure import Figure

from snaketorch.errors import UserError
from snaketorch.evaluation.forecasts import Forecasts, Series
from snaketorch.evaluation.linear import linear
from snaketorch.evaluation.naive import naive_scale, persistence, seasonal_naive
from snaketorch.evaluation.outcome import Case, Outcome, Values
from snaketorch.evaluation.quantiles import MEASURES as OF_QUANTILES
from snaketorch.evaluation.quantiles import Quantiles
from snaketorch.figures.forecasts import MODEL, Band, Line, Window, error_figure, timeline_figure, windows_figure

PAST_STEPS = 12
"""Known steps shown before a forecast, at least; five horizons where that is more."""
BASELINES = ("persistence", "seasonal_naive", "linear")


def _mae(errors: np.ndarray, scale: np.ndarray) -> float:
    return float(np.abs(errors).mean())


def _rmse(errors: np.ndarray, scale: np.ndarray) -> float:
    return float(np.sqrt(np.square(errors).mean()))


def _mase(errors: np.ndarray, scale: np.ndarray) -> float | None:
    # a training split that repeats itself exactly leaves nothing to scale by
    return float((np.abs(errors) / scale).mean()) if scale.all() else None


MEASURES: dict[str, Callable[[np.ndarray, np.ndarray], float | None]] = {"mae": _mae, "rmse": _rmse, "mase": _mase}
"""Each from errors (..., C) in the data's units and the scale (C,) to a mean over all of them."""


def evaluate(case: Case) -> Outcome:
    """Metrics of the model and the baselines, overall, by step ahead and by channel; all forecasts; pictures.

    UserError when the season is longer than the training split.
    """
    forecasts = _forecasts(case)
    series, horizon = forecasts.series, forecasts.truth.shape[1]
    overall = _measured(forecasts, case.metrics)
    return Outcome(
        metrics=overall.pop(MODEL),
        baselines=overall,
        details={
            "channels": list(series.channels),
            "scale": {"lag": case.options.season or 1, "values": forecasts.scale.tolist()},
            "per_step": [
                {"step": step + 1, **_measured(forecasts, case.metrics, steps=slice(step, step + 1))}
                for step in range(horizon)
            ],
            "per_channel": [
                {"channel": name, **_measured(forecasts, case.metrics, channels=slice(number, number + 1))}
                for number, name in enumerate(series.channels)
            ],
            **_details_of_quantiles(forecasts),
        },
        predictions=_table(forecasts),
        figures=_figures(forecasts, case),
    )


def _measured(
    forecasts: Forecasts, metrics: list[str], steps: slice = slice(None), channels: slice = slice(None)
) -> dict[str, Values]:
    """The metrics of each forecaster over a part of the steps and channels; those of quantiles of the model only."""
    scale = forecasts.scale[channels]
    measured: dict[str, Values] = {
        name: {
            metric: MEASURES[metric](forecasts.errors(name)[:, steps, channels], scale)
            for metric in metrics
            if metric in MEASURES
        }
        for name in forecasts.values
    }
    if forecasts.quantiles is not None:
        part, truth = forecasts.quantiles.part(steps, channels), forecasts.truth[:, steps, channels]
        measured[MODEL] |= {metric: OF_QUANTILES[metric](part, truth) for metric in metrics if metric in OF_QUANTILES}
    return measured


def _details_of_quantiles(forecasts: Forecasts) -> dict[str, Any]:
    quantiles, truth = forecasts.quantiles, forecasts.truth
    if quantiles is None:
        return {}
    low, high = quantiles.levels[0], quantiles.levels[-1]
    note = (
        f"{quantiles.coverage(truth):.1%} of the values lie in the interval from the {low:g} to the {high:g} quantile; "
        f"{high - low:.1%} would be right."
    )
    return {"per_quantile": quantiles.table(truth), "notes": [note]}


def _forecasts(case: Case) -> Forecasts:
    options, dataset = case.options, case.manifest.dataset
    series, season = Series.of(case.manifest, options.targets), options.season
    if season and season >= series.training:
        raise UserError(
            f"task.season is {season} steps, but the training split of dataset '{dataset}' has only "
            f"{series.training}; allowed: fewer than that, or no season"
        )
    model = case.predictions["forecast"].astype(np.float64)
    first, horizon = series.test + case.predictions["index"], model.shape[1]
    truth = series.values[first[:, None] + np.arange(horizon)]
    if not np.allclose(truth, case.predictions["target"], rtol=1e-3, atol=1e-3 * np.abs(truth).max()):
        raise RuntimeError("the targets of the predictions are not the steps of the series that their index names")
    values = {MODEL: model, "persistence": persistence(series.values, first, horizon)}
    if season:
        values["seasonal_naive"] = seasonal_naive(series.values, first, horizon, season)
    if series.training >= options.window + horizon:
        values["linear"] = linear(series.values, series.training, series.test, first, options.window, horizon)
    quantiles = None
    if options.quantiles:
        quantiles = Quantiles(options.quantiles, case.predictions["quantiles"].astype(np.float64))
    scale = naive_scale(series.values[: series.training], season or 1)
    return Forecasts(series, first, truth, values, scale, quantiles)


def _table(forecasts: Forecasts) -> pa.Table:
    number, horizon, channels = forecasts.truth.shape
    names = np.broadcast_to(np.arange(channels, dtype=np.int32), forecasts.truth.shape).ravel()
    steps = np.broadcast_to(np.arange(1, horizon + 1)[None, :, None], forecasts.truth.shape)
    columns = {
        "window": np.repeat(forecasts.first - forecasts.series.test, horizon * channels),
        "step": steps.ravel(),
        "time": np.repeat(forecasts.series.time[forecasts.rows].ravel(), channels),
        "channel": pa.DictionaryArray.from_arrays(names, pa.array(forecasts.series.channels)),
        "truth": forecasts.truth.astype(np.float32).ravel(),
        "forecast": forecasts.values[MODEL].astype(np.float32).ravel(),
    }
    for name in BASELINES:
        known = forecasts.values.get(name)
        size = number * horizon * channels
        columns[name] = pa.nulls(size, pa.float32()) if known is None else known.astype(np.float32).ravel()
    if forecasts.quantiles is not None:
        for place, level in enumerate(forecasts.quantiles.levels):
            columns[f"quantile_{level:g}"] = forecasts.quantiles.values[..., place].astype(np.float32).ravel()
    return pa.table(columns)


def _figures(forecasts: Forecasts, case: Case) -> dict[str, Figure]:
    series, horizon = forecasts.series, forecasts.truth.shape[1]
    figures = {
        "forecast": timeline_figure(_lines(forecasts), series.unit),
        "error_by_step": error_figure(*_errors_by_step(forecasts)),
    }
    scaled = np.abs(forecasts.errors(MODEL)) / np.where(forecasts.scale, forecasts.scale, 1)  # channels alike
    order = np.argsort(scaled.mean((1, 2)), kind="stable")
    for name, ranked in (("worst", order[::-1]), ("best", order)):
        chosen = apart(ranked, forecasts.first, horizon, case.examples)
        hardest = scaled.mean(1).argmax(1)  # the channel to show of each window
        pictures = [_window(forecasts, index, hardest[index], case.options.window) for index in chosen]
        description = f"The {len(pictures)} forecasts with the {'largest' if name == 'worst' else 'smallest'} error"
        figures[name] = windows_figure(pictures, series.unit, description)
    return figures


def _errors_by_step(forecasts: Forecasts) -> tuple[dict[str, np.ndarray], str]:
    """Mean absolute errors (H,) by forecaster, and what they are: scaled, where channels differ in their units."""
    series, scale = forecasts.series, forecasts.scale
    kind, unit = "mean absolute scaled error", ""
    alike = len(set(series.units)) == 1
    if alike or not scale.all():
        kind, unit, scale = "mean absolute error", series.units[0] if alike else "", np.ones_like(scale)
    errors = {name: (np.abs(forecasts.errors(name)) / scale).mean((0, 2)) for name in forecasts.values}
    return errors, f"{kind} ({unit})" if unit else kind


def apart(ranked: np.ndarray, first: np.ndarray, horizon: int, count: int) -> list[int]:
    """The first ``count`` windows of a ranking that share no step, as neighbours look alike."""
    chosen: list[int] = []
    for index in ranked:
        if all(abs(first[index] - first[other]) >= horizon for other in chosen):
            chosen.append(int(index))
        if len(chosen) == count:
            break
    return chosen


def _lines(forecasts: Forecasts) -> list[Line]:
    horizon = forecasts.truth.shape[1]
    return [
        Line(
            channel=forecasts.series.label(number),
            steps_ahead=step + 1,
            time=forecasts.series.time[forecasts.rows[:, step]],
            truth=forecasts.truth[:, step, number],
            forecasts={forecaster: values[:, step, number] for forecaster, values in forecasts.values.items()},
            band=_band(forecasts, (slice(None), step, number)),
        )
        for number in range(len(forecasts.series.channels))
        for step in sorted({0, horizon - 1})
    ]


def _window(forecasts: Forecasts, index: int, channel: int, window: int) -> Window:
    series, first, rows = forecasts.series, forecasts.first[index], forecasts.rows[index]
    past = slice(first - min(window, max(PAST_STEPS, 5 * len(rows))), first)
    off_by = np.abs(forecasts.errors(MODEL)[index, :, channel]).mean()
    time = series.time[first]
    title = f"{time:.0f}" if time == round(time) else f"{time:.2f}"
    name = f"{series.channels[channel]}, " if len(series.channels) > 1 else ""
    return Window(
        channel=series.label(channel),
        title=f"{name}{title}: off by {off_by:.3g}",
        past_time=series.time[past],
        past=series.values[past, channel],
        time=series.time[rows],
        truth=forecasts.truth[index, :, channel],
        forecasts={forecaster: values[index, :, channel] for forecaster, values in forecasts.values.items()},
        band=_band(forecasts, (index, slice(None), channel)),
    )


def _band(forecasts: Forecasts, part: tuple[Any, ...]) -> Band | None:
    """From the lowest to the highest quantile."""
    if forecasts.quantiles is None:
        return None
    levels, values = forecasts.quantiles.levels, forecasts.quantiles.values[part]
    return Band(f"{levels[-1] - levels[0]:.0%} interval", values[..., 0], values[..., -1])
