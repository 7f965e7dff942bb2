"""Preview of a time series."""

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

from snaketorch.data.preview import style
from snaketorch.data.raw.series import RawSeries

MOST_CHANNELS = 12
MOST_POINTS = 4000
"""Columns of extremes that a line is drawn from; more are finer than a pixel."""

_DATED = re.compile(r"(second|minute|hour|day)s? since (\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?)?)")
_LENGTHS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


def draw_series(path: Path, title: str, series: RawSeries, starts: Mapping[str, int]) -> None:
    """A line a channel over time, with the splits behind it in colour.

    Args:
        path: PNG file to write.
        title: Name of the dataset.
        series: The whole series; a time in `days since 1970-01-01` (or hours, minutes, seconds) is shown as dates.
        starts: First row of each split, in the order of time.
    """
    shown = series.names[:MOST_CHANNELS]
    panel = 1.4 if len(shown) > 3 else 2.6
    top, bottom, heading = 0.65, 0.6, 0.35
    height = top + panel * len(shown) + bottom
    figure = style.blank(9, height)
    grid = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    dates = as_dates(series.time, series.time_unit)
    time = series.time if dates is None else dates
    edges = [*(time[start] for start in starts.values()), time[-1]]
    for index, (axes, name, unit) in enumerate(zip(grid, series.names, series.units, strict=False)):
        lower_edge = bottom + panel * (len(shown) - 1 - index)
        axes.set_position((0.085, lower_edge / height, 0.89, (panel - heading) / height))
        for split, span in zip(starts, pairwise(edges), strict=True):
            axes.axvspan(*span, color=style.COLOURS[split], alpha=0.15, linewidth=0)
        rows = outline(series.values[:, index])
        axes.plot(time[rows], series.values[rows, index], color=style.INK, linewidth=0.9)
        # level, above the panel: a long unit beside a low panel would run into the next one
        label = f"{style.plain_text(name)} [{style.plain_text(unit)}]" if unit else style.plain_text(name)
        axes.set_title(style.shorten(label, 80), loc="left", size=10, pad=4, color=style.INK)
        axes.yaxis.get_offset_text().set(x=1, horizontalalignment="right")
        axes.margins(x=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=style.INK)
    if dates is None:
        unit = style.plain_text(series.time_unit)
        grid[-1].set_xlabel(unit, color=style.INK)
        period = f"{unit} {time[0]:.6g} to {time[-1]:.6g}"
    else:
        locator = AutoDateLocator()
        # the year of the axis' end goes without saying: the head has the whole period
        grid[-1].xaxis.set_major_locator(locator)
        grid[-1].xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
        unit = "D" if dates[-1] - dates[0] > np.timedelta64(60, "D") else "m"
        period = " to ".join(str(date.astype(f"datetime64[{unit}]")).replace("T", " ") for date in dates[[0, -1]])

    steps = len(series.values)
    counts = np.diff([*starts.values(), steps])
    style.split_legend(figure, dict(zip(starts, counts, strict=True)))
    more = f", {len(shown)} of them shown" if len(series.names) > len(shown) else ""
    plural = "s" if len(series.names) > 1 else ""
    style.head(figure, title, f"{steps:,} steps, {period}, {len(series.names)} channel{plural}{more}")
    style.save(figure, path)


def outline(values: np.ndarray) -> np.ndarray:
    """Rows that draw the same line as all ``values`` (steps,): of a long line the extremes of each short stretch."""
    if len(values) <= 2 * MOST_POINTS:
        return np.arange(len(values))
    rows = []
    for stretch in np.array_split(np.arange(len(values)), MOST_POINTS):
        part = values[stretch]
        rows += sorted({int(stretch[0] + part.argmin()), int(stretch[0] + part.argmax())})
    return np.array(rows)


def as_dates(time: np.ndarray, unit: str) -> np.ndarray | None:
    """Times as datetime64[s] where the unit is such as `days since 1970-01-01`; else None."""
    dated = _DATED.fullmatch(unit.strip())
    if dated is None:
        return None
    seconds = np.rint(time * _LENGTHS[dated[1]]).astype("timedelta64[s]")
    return np.datetime64(dated[2].replace(" ", "T"), "s") + seconds
