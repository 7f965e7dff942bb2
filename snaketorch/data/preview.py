"""One picture of a prepared dataset, to see at a glance whether it is what was meant."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from snaketorch.data.raw import RawSeries

MOST_CLASSES = 25
MOST_EXAMPLES = 12
MOST_CHANNELS = 12
MOST_PIXELS = 160
DPI = 150
INK = "#2b2b2b"
FAINT = "#6f6f6f"
COLOURS = {"train": "#3b6ea8", "val": "#d98a29", "test": "#7a5195"}


def draw_images(
    path: Path,
    title: str,
    images: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    counts: Mapping[str, Sequence[int]],
) -> None:
    """A row a class: its name, its first training images, its samples in each split.

    Args:
        path: PNG file to write.
        title: Name of the dataset.
        images: uint8, (samples, channels, height, width), of the training split.
        labels: int64, (samples,).
        classes: Names.
        counts: Samples of each class, by split.
    """
    _, channels, pixels_high, pixels_wide = images.shape
    shown = [_short(name) for name in classes[:MOST_CLASSES]]
    row = 0.42  # inches, whatever the size in pixels
    cell = float(np.clip(row * pixels_wide / pixels_high, 0.05, 5))
    examples = int(np.clip(MOST_EXAMPLES * row / cell, 1, MOST_EXAMPLES))
    mosaic = _mosaic(images, labels, len(shown), examples)

    column_width = 0.15 + 0.09 * max(5, len(f"{max(map(max, counts.values())):,}"))
    left, right, top = 0.35 + 0.085 * max(map(len, shown)), 0.3 + column_width * len(counts), 0.85
    bottom = 0.45 if len(classes) > len(shown) else 0.2
    picture_width, picture_height = cell * examples, row * len(shown)
    # the head's line of text needs about five inches
    width, height = max(left + picture_width + right, 5.0), top + picture_height + bottom
    figure = _figure(width, height)
    axes = figure.add_axes((left / width, bottom / height, picture_width / width, picture_height / height))
    enlarged = mosaic.shape[0] < picture_height * DPI
    axes.imshow(
        mosaic, aspect="auto", extent=(0, 1, len(shown), 0), interpolation="nearest" if enlarged else "antialiased"
    )
    axes.set_axis_off()

    _head(
        figure,
        title,
        f"{sum(map(sum, counts.values())):,} images, {pixels_high}x{pixels_wide} pixels, "
        f"{'grey' if channels == 1 else 'colour'}, {len(classes)} classes",
    )
    across, centres = axes.get_yaxis_transform(), np.arange(len(shown)) + 0.5
    for name, y in zip(shown, centres, strict=True):
        axes.text(-0.12 / picture_width, y, name, transform=across, ha="right", va="center", color=INK)
    for column, (split, numbers) in enumerate(counts.items()):
        x = 1 + (0.1 + column_width * (column + 1)) / picture_width
        axes.text(x, -0.12, split, transform=across, ha="right", va="bottom", color=COLOURS[split], weight="bold")
        for number, y in zip(numbers, centres, strict=False):
            axes.text(x, y, f"{number:,}", transform=across, ha="right", va="center", color=INK)
    if len(classes) > len(shown):
        figure.text(left / width, 0.15 / height, f"and {len(classes) - len(shown)} more classes", color=FAINT)
    _save(figure, path)


def _mosaic(images: np.ndarray, labels: np.ndarray, num_classes: int, examples: int) -> np.ndarray:
    """The first images of each class side by side on white, (height, width, 3)."""
    step = -(-max(images.shape[2:]) // MOST_PIXELS)
    height, width = images[0, 0, ::step, ::step].shape
    gap = max(1, round(0.06 * min(height, width)))
    mosaic = np.full((num_classes * (height + gap), examples * (width + gap), 3), 255, np.uint8)
    for label in range(num_classes):
        for column, index in enumerate(np.flatnonzero(labels == label)[:examples]):
            y, x = label * (height + gap), column * (width + gap)
            # grey images have one channel, which broadcasts to three
            mosaic[y : y + height, x : x + width] = images[index, :, ::step, ::step].transpose(1, 2, 0)
    return mosaic


def draw_series(path: Path, title: str, series: RawSeries, starts: Mapping[str, int]) -> None:
    """A line a channel over time, with the splits behind it in colour.

    Args:
        path: PNG file to write.
        title: Name of the dataset.
        series: The whole series.
        starts: First row of each split, in the order of time.
    """
    shown = series.names[:MOST_CHANNELS]
    panel = 1.4 if len(shown) > 3 else 2.6
    top, bottom, heading = 0.65, 0.6, 0.35
    height = top + panel * len(shown) + bottom
    figure = _figure(9, height)
    grid = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    edges = [*(series.time[start] for start in starts.values()), series.time[-1]]
    for index, (axes, name, unit) in enumerate(zip(grid, series.names, series.units, strict=False)):
        lower_edge = bottom + panel * (len(shown) - 1 - index)
        axes.set_position((0.085, lower_edge / height, 0.89, (panel - heading) / height))
        for split, span in zip(starts, pairwise(edges), strict=True):
            axes.axvspan(*span, color=COLOURS[split], alpha=0.15, linewidth=0)
        axes.plot(series.time, series.values[:, index], color=INK, linewidth=0.9)
        # level, above the panel: a long unit beside a low panel would run into the next one
        axes.set_title(f"{name} [{unit}]" if unit else name, loc="left", size=10, pad=4, color=INK)
        axes.yaxis.get_offset_text().set(x=1, horizontalalignment="right")
        axes.margins(x=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=INK)
    grid[-1].set_xlabel(series.time_unit, color=INK)

    steps = len(series.values)
    counts = np.diff([*starts.values(), steps])
    figure.legend(
        handles=[Patch(color=COLOURS[split], alpha=0.45, linewidth=0) for split in starts],
        labels=[f"{split}: {count:,}" for split, count in zip(starts, counts, strict=True)],
        loc="upper right",
        bbox_to_anchor=(0.98, 1 - 0.04 / height),
        ncols=len(starts),
        frameon=False,
        labelcolor=INK,
        handlelength=1.2,
        handletextpad=0.5,
        columnspacing=1.4,
    )
    more = f", {len(shown)} of them shown" if len(series.names) > len(shown) else ""
    _head(
        figure,
        title,
        f"{steps:,} steps, {series.time_unit} {series.time[0]:.6g} to {series.time[-1]:.6g}, "
        f"{len(series.names)} channel{'s' if len(series.names) > 1 else ''}{more}",
    )
    _save(figure, path)


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _head(figure: Figure, title: str, line: str) -> None:
    width, height = figure.get_size_inches()
    x = 0.2 / width
    figure.text(x, 1 - 0.12 / height, title, va="top", size=13, weight="bold", color=INK)
    figure.text(x, 1 - 0.38 / height, line, va="top", size=10, color=FAINT)


def _short(text: str, most: int = 24) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _save(figure: Figure, path: Path) -> None:
    # without matplotlib's version in it, so that the same picture is the same bytes
    figure.savefig(path, metadata={"Software": None})
