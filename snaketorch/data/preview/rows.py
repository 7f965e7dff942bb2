"""Preview of rows: how the values of each column are spread."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from snaketorch.data.preview import style

MOST_COLUMNS = 12
MOST_VALUES = 6
ACROSS = 4
PANEL = (2.35, 1.75)
"""Inches that a column takes, width and height."""
MARGIN = (0.6, 0.7)
"""Inches of a panel left of its axes, and below and above them."""


def draw_rows(
    path: Path, title: str, columns: Mapping[str, np.ndarray], counts: Mapping[str, int], target: str
) -> None:
    """A panel a column, the target first: a histogram of numbers, or bars of the most frequent values.

    Args:
        path: PNG file to write.
        title: Name of the dataset.
        columns: Values of the training split, (rows,): numbers, or texts; the target is one of them.
        counts: Rows of each split.
        target: Name of the target.
    """
    names = [target, *(name for name in columns if name != target)]
    shown = names[:MOST_COLUMNS]
    top, lines = 0.75, -(-len(shown) // ACROSS)
    width, height = 0.2 + ACROSS * PANEL[0], top + lines * PANEL[1] + 0.1
    figure = style.blank(width, height)
    style.split_legend(figure, counts)
    more = f", {MOST_COLUMNS} of them shown" if len(names) > MOST_COLUMNS else ""
    line = f"{sum(counts.values()):,} rows, {len(names) - 1} columns and the target{more}; bars count training rows"
    style.head(figure, title, line)
    for place, name in enumerate(shown):
        line, across = divmod(place, ACROSS)
        x, y = MARGIN[0] + across * PANEL[0], height - top - (line + 1) * PANEL[1] + 0.4
        size = (PANEL[0] - MARGIN[0], PANEL[1] - MARGIN[1])
        axes = figure.add_axes((x / width, y / height, size[0] / width, size[1] / height))
        colour = style.TARGET if name == target else style.COLOURS["train"]
        heading = style.shorten(style.plain_text(name), 26 - 9 * (name == target))
        # from the edge of the panel, not of the axes: names are long, axes narrow
        axes.text(
            -0.4 / size[0],
            1 + 0.12 / size[1],
            f"{heading} (target)" if name == target else heading,
            transform=axes.transAxes,
            size=9.5,
            weight="bold" if name == target else "normal",
            color=colour if name == target else style.INK,
        )
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=style.INK, labelsize=7.5)
        values = columns[name]
        (_histogram if values.dtype.kind in "iuf" else _bars)(axes, values, colour)
    style.save(figure, path)


def _histogram(axes: Axes, values: np.ndarray, colour: str) -> None:
    # as they are stored: numbers that float32 cannot tell apart leave no room for bins between them
    finite = values[np.isfinite(values)].astype(np.float32).astype(np.float64)
    low, high = (finite.min(), finite.max()) if finite.size else (0, 1)
    margin = 0 if low < high else max(0.5, abs(low) / 1000)
    axes.hist(finite, bins=30, range=(low - margin, high + margin), color=colour, alpha=0.75)
    axes.locator_params(axis="both", nbins=3)
    axes.ticklabel_format(scilimits=(-3, 4))
    axes.yaxis.get_offset_text().set(size=7)
    axes.xaxis.get_offset_text().set(size=7)


def _bars(axes: Axes, values: np.ndarray, colour: str) -> None:
    counted = Counter(map(str, values.tolist())).most_common()
    shown = counted[:MOST_VALUES]
    if len(counted) > MOST_VALUES:
        rest = counted[MOST_VALUES - 1 :]
        shown = [*counted[: MOST_VALUES - 1], (f"{len(rest)} others", sum(count for _, count in rest))]
    places = np.arange(len(shown))
    bars = axes.barh(places, [count for _, count in shown], color=colour, alpha=0.75, height=0.75)
    if len(counted) > MOST_VALUES:
        bars[-1].set_alpha(0.3)
    labels = [style.shorten(style.plain_text(value), 9) or "(empty)" for value, _ in shown]
    axes.set_yticks(places, labels, size=7)
    axes.set_ylim(max(len(shown), 3) - 0.5, -0.5)
    axes.locator_params(axis="x", nbins=3)
    axes.tick_params(axis="y", length=0)
