"""Forecasts of a series against what happened, and against what costs nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snaketorch.figures.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    PURPLE,
    VERMILION,
    WIDTH,
    house_style,
    legend_above,
    new_figure,
    shortened,
)

MODEL = "model"
COLOURS = {MODEL: VERMILION, "persistence": BLUE, "seasonal_naive": GREEN, "linear": PURPLE}
PANELS = 8
LONGEST = 600
"""Steps of a series that can still be told apart over the width of a page."""
FEW = 8
"""Steps ahead up to which each is drawn as something of its own."""


@dataclass(frozen=True)
class Band:
    """An interval that the model gives at each time, (N,) each."""

    name: str
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Line:
    """Values (N,) over time (N,) of one channel, all forecast the same number of steps ahead."""

    channel: str
    """With its unit."""
    steps_ahead: int
    time: np.ndarray
    truth: np.ndarray
    forecasts: Mapping[str, np.ndarray]
    """By forecaster, each (N,): ``model`` and the baselines."""
    band: Band | None = None


@dataclass(frozen=True)
class Window:
    """One forecast of one channel: what was known and what followed, with every forecaster's values."""

    channel: str
    """With its unit."""
    title: str
    past_time: np.ndarray
    past: np.ndarray
    time: np.ndarray
    truth: np.ndarray
    forecasts: Mapping[str, np.ndarray]
    band: Band | None = None


@house_style
def timeline_figure(lines: Sequence[Line], unit: str) -> Figure:
    """Each line in a panel of its own: truth and forecast over time, baselines thin.

    Of many lines the first ``PANELS`` are shown, and of a long series its last ``LONGEST`` steps.
    """
    shown = lines[:PANELS]
    figure = new_figure(
        "Forecast and truth over time, a panel for each channel and step ahead", WIDTH, 2.1 * len(shown) + 0.5
    )
    panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for axes, line in zip(panels, shown, strict=True):
        part = slice(-LONGEST, None)
        axes.plot(line.time[part], line.truth[part], color=INK, linewidth=1.4, label="truth", zorder=2.5)
        for name, values in line.forecasts.items():
            _plot(axes, name, line.time[part], values[part])
        if line.band is not None:
            _shade(axes, line.band, line.time, part)
        # above the panel: a long unit beside a low one would run into the next
        last = f" (the last {LONGEST} of {len(line.time):,} windows)" if len(line.time) > LONGEST else ""
        axes.set_title(f"{shortened(line.channel, 40)}, {steps(line.steps_ahead)} ahead{last}")
        axes.margins(x=0.01)
    more = f"; {len(lines) - PANELS} more panels are not shown" if len(lines) > PANELS else ""
    panels[-1].set_xlabel(time_label(unit) + more)
    legend_above(figure, panels[0])
    return figure


@house_style
def error_figure(errors: Mapping[str, np.ndarray], metric: str) -> Figure:
    """The error of each forecaster, shape (H,) each, by how many steps ahead it forecast.

    ``metric`` says which error, with its unit.
    """
    horizon = len(errors[MODEL])
    figure = new_figure(
        f"The {metric} of the model and the baselines by steps ahead", min(WIDTH, 3.6 + 0.35 * horizon), 3.0
    )
    axes = figure.add_subplot()
    ahead = np.arange(1, horizon + 1)
    for number, (name, values) in enumerate(errors.items()):
        style = {"color": COLOURS[name], "label": shown_name(name)}
        if horizon <= FEW:
            width = 0.8 / len(errors)
            axes.bar(ahead + (number - (len(errors) - 1) / 2) * width, values, 0.92 * width, **style)
        else:
            axes.plot(ahead, values, linewidth=2.2 if name == MODEL else 1.4, **style)
    axes.set(xlabel="steps ahead", ylabel=metric)
    axes.set_ylim(bottom=0)
    axes.grid(axis="x", visible=False)
    if horizon <= FEW:
        axes.set_xticks(ahead)
    legend_above(figure, axes)
    return figure


@house_style
def windows_figure(windows: Sequence[Window], unit: str, description: str) -> Figure:
    """Small pictures of single forecasts in reading order: the past, the truth after it, and the forecasts."""
    columns = min(3, len(windows))
    rows = -(-len(windows) // columns)
    figure = new_figure(description, WIDTH / 3 * max(columns, 2), 1.75 * rows + 0.45)
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes, window in zip(panels.flat, windows, strict=False):
        time, truth = (np.concatenate(pair) for pair in ((window.past_time, window.time), (window.past, window.truth)))
        axes.plot(time, truth, color=INK, linewidth=1.4, label="truth", zorder=2.5)
        for name, values in window.forecasts.items():
            # a single step is a point, not a line
            marked = len(values) == 1 or (name == MODEL and len(values) <= FEW)
            _plot(axes, name, window.time, values, marker="o" if marked else None)
        if window.band is not None:
            _shade(axes, window.band, window.time)
        half_a_step = float(window.time[0] - window.past_time[-1]) / 2
        axes.axvspan(window.time[0] - half_a_step, window.time[-1] + half_a_step, color=MUTED, alpha=0.1)
        axes.set_title(window.title, fontsize=8.5, pad=5)
        axes.margins(x=0.02)
        axes.locator_params(axis="x", nbins=4)
        axes.locator_params(axis="y", nbins=4)
    for axes in panels.flat[len(windows) :]:
        axes.set_visible(False)
    channels = {window.channel for window in windows}
    if len(channels) == 1:
        figure.supylabel(shortened(channels.pop(), 24), fontsize=9)
    figure.supxlabel(time_label(unit), fontsize=9)
    legend_above(figure, panels[0, 0])
    return figure


def _plot(axes: Axes, name: str, time: np.ndarray, values: np.ndarray, marker: str | None = None) -> None:
    style = {"linewidth": 1.8, "zorder": 3} if name == MODEL else {"linewidth": 1}
    axes.plot(time, values, color=COLOURS[name], marker=marker, markersize=3, label=shown_name(name), **style)


def _shade(axes: Axes, band: Band, time: np.ndarray, part: slice = slice(None)) -> None:
    low, high, time = band.low[part], band.high[part], time[part]
    if len(time) == 1:
        axes.vlines(time, low, high, color=VERMILION, alpha=0.3, linewidth=5, label=band.name)
    else:
        axes.fill_between(time, low, high, color=VERMILION, alpha=0.2, linewidth=0, label=band.name, zorder=1.5)


def shown_name(forecaster: str) -> str:
    """A forecaster's name as a legend writes it."""
    return forecaster.replace("_", " ")


def steps(count: int) -> str:
    """A number of steps in words."""
    return f"{count} step" if count == 1 else f"{count} steps"


def time_label(unit: str) -> str:
    """The label of a time axis."""
    return f"time ({unit})" if unit else "time"
