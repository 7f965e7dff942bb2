"""Training samples beside what a training sees of them in each of its first epochs."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snaketorch.data.preview import style
from snaketorch.data.preview.series import outline

CHARACTERS = 12
"""Of the sentences in the head, on an inch."""
HEAD_LINE = 0.17
"""Inches that a line of them takes."""
CLASS_LINE = 0.13
"""Inches that a class of a mixed label takes."""
TEXT_CHARACTERS = 92
MOST_CHANNELS = 3


def draw_augmented_images(
    title: str,
    sentences: Sequence[str],
    names: Sequence[str],
    originals: np.ndarray,
    draws: Sequence[np.ndarray],
    mixed: Sequence[Sequence[str]] | None,
) -> Figure:
    """A row an image.

    Args:
        title: Name of the experiment.
        sentences: What is shown, below the title.
        names: Class of each image.
        originals: (images, channels, height, width) in [0, 1].
        draws: The same images in each epoch.
        mixed: For each epoch and image what its label is made of, a line a class; None where labels are as they were.
    """
    height, width = originals.shape[2:]
    lines = max((text.count("\n") + 1 for epoch in mixed for text in epoch), default=0) if mixed else 0
    aspect = width / height
    cell = (float(np.clip(aspect, 0.5, 1)), float(np.clip(1 / aspect, 0.5, 1)) + 0.04 + CLASS_LINE * lines)
    figure, grid = _grid(title, sentences, names, len(draws), cell, CLASS_LINE * lines)
    for (row, column), axes in np.ndenumerate(grid):
        image = (originals if column == 0 else draws[column - 1])[row]
        pixels = np.broadcast_to(image, (3, height, width)).transpose(1, 2, 0)
        axes.imshow(pixels, interpolation="nearest" if height < 100 else "antialiased")
        if mixed and column:
            text = mixed[column - 1][row]
            axes.text(0.5, -0.04, text, transform=axes.transAxes, ha="center", va="top", size=6.5, color=style.FAINT)
    return figure


def draw_augmented_lines(
    title: str,
    sentences: Sequence[str],
    names: Sequence[str],
    samples: Sequence[Sequence[np.ndarray]],
    channels: Sequence[str],
    known: int | None,
) -> Figure:
    """A row a sequence: what it was in grey, what it is in colour; a row has one scale.

    Args:
        title: Name of the experiment.
        sentences: What is shown, below the title.
        names: Class of each sequence; empty where there are none.
        samples: For each sequence what it was, then what it is in each epoch: (steps, channels), all of one scale.
        channels: Their names.
        known: Steps that a forecast is made from; those after them are to be forecast. None where nothing is.
    """
    shown = channels[:MOST_CHANNELS]
    names = names or [""] * len(samples)
    figure, grid = _grid(title, sentences, names, len(samples[0]) - 1, (1.75, 0.8), keys=shown, every=len(channels))
    for row, every in enumerate(samples):
        every = [values[:, : len(shown)] for values in every]
        low, high = min(map(np.min, every)), max(map(np.max, every))
        margin = 0.05 * max(high - low, 1e-6)
        for axes, values in zip(grid[row], every, strict=True):
            for channel in range(len(shown)):
                _line(axes, every[0][:, channel], "#c4c4c4", 0.8)
            for channel in range(len(shown)):
                _line(axes, values[:, channel], style.LINES[channel], 0.9)
            if known is not None:
                axes.axvspan(known - 0.5, len(values) - 0.5, color="#ededed", linewidth=0, zorder=0)
            axes.set_ylim(low - margin, high + margin)
    return figure


def _line(axes: Axes, values: np.ndarray, colour: str, width: float) -> None:
    rows = outline(values)
    axes.plot(rows, values[rows], color=colour, linewidth=width)


def draw_augmented_texts(
    title: str, sentences: Sequence[str], names: Sequence[str], texts: Sequence[Sequence[str]]
) -> Figure:
    """Some lines a text: what it was, and what it is in each epoch.

    Args:
        title: Name of the experiment.
        sentences: What is shown, below the title.
        names: Class of each text; empty where there are none.
        texts: For each text what it was, then what it is in each epoch.
    """
    left, line = _left(names), 0.2
    band = line * (len(texts[0]) + 0.6)
    figure, top = _sheet(title, sentences, left + 8.4, band * len(texts))
    width, height = figure.get_size_inches()
    for row, every in enumerate(texts):
        y = height - top - band * row
        if names:
            figure.text(0.2 / width, (y - 0.1) / height, _short(names[row]), va="center", color=style.INK)
        for number, text in enumerate(every):
            place = {"y": (y - 0.1 - line * number) / height, "va": "center", "size": 8.5}
            said = f"epoch {number}" if number else "original"
            figure.text(left / width, s=said, color=style.FAINT, **place)
            shown = style.shorten(style.plain_text(text.replace("\n", " ↵ ")), TEXT_CHARACTERS)
            figure.text((left + 0.75) / width, s=shown, family="DejaVu Sans Mono", color=style.INK, **place)
    return figure


def _sheet(title: str, sentences: Sequence[str], width: float, body: float, below: float = 0) -> tuple[Figure, float]:
    """A figure with its head, for a body of that height, and the inches above it; ``below`` of them are free."""
    width = max(width, 5)
    lines = [line for sentence in sentences for line in textwrap.wrap(sentence, int(CHARACTERS * (width - 0.4)))]
    top = 0.38 + HEAD_LINE * len(lines) + 0.15 + below
    figure = style.blank(width, top + body + 0.15)
    style.head(figure, title, "\n".join(map(style.drawable, lines)))
    return figure, top


def _grid(
    title: str,
    sentences: Sequence[str],
    names: Sequence[str],
    epochs: int,
    cell: tuple[float, float],
    free: float = 0,
    keys: Sequence[str] = (),
    every: int = 0,
) -> tuple[Figure, np.ndarray]:
    """Axes for a column of originals and one for each epoch, with a gap after the first.

    Args:
        title: Of the figure.
        sentences: Below it.
        names: One for each row, left of it.
        epochs: Columns after the first.
        cell: Width and height, inches.
        free: Inches of a cell's height below its axes.
        keys: Names of the first lines, a key of their colours where there are several.
        every: Lines that there are.
    """
    left, gap = _left(names), 0.15
    width = left + gap + cell[0] * (1 + epochs) + 0.2
    has_key = len(keys) > 1
    figure, top = _sheet(title, sentences, width, cell[1] * len(names), 0.25 + 0.25 * has_key)
    width, height = figure.get_size_inches()
    if has_key:
        style.line_key(figure, keys, every, left, height - top + 0.36)
    grid = np.empty((len(names), 1 + epochs), object)
    for row, column in np.ndindex(grid.shape):
        x, y = left + column * cell[0] + gap * (column > 0), height - top - (row + 1) * cell[1] + free
        box = (x / width, (y + 0.03) / height, (cell[0] - 0.06) / width, (cell[1] - free - 0.06) / height)
        axes = grid[row, column] = figure.add_axes(box)
        axes.set_axis_off()
        if row == 0:
            head = f"epoch {column}" if column else "original"
            axes.set_title(head, size=8.5, color=style.FAINT, pad=4)
    for axes, name in zip(grid[:, 0], names, strict=True):
        _name(axes, name)
    return figure, grid


def _left(names: Sequence[str]) -> float:
    """Inches that the names of the classes take, and the margin."""
    longest = max(map(len, map(_short, names)), default=0)
    return 0.4 + 0.085 * longest if longest else 0.2


def _name(axes: Axes, name: str) -> None:
    axes.text(-0.1, 0.5, _short(name), transform=axes.transAxes, ha="right", va="center", color=style.INK)


def _short(name: str) -> str:
    return style.shorten(style.plain_text(name))
