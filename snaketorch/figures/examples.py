"""Images, sequences and texts with what was said about them."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snaketorch.figures.style import DATA_COLOURS, INK, MUTED, VERMILION, WIDTH, house_style, new_figure, shortened

COLUMNS = 6
TEXT_COLUMNS, TEXT_LINES = 62, 3
"""Of a text as it is shown."""
LARGEST_SIDE = 112
"""Pixels of an image as it is shown; larger ones are averaged down, so that a page stays small."""
MOST_STEPS, MOST_CHANNELS = 500, len(DATA_COLOURS)
"""Of a sequence as it is shown; of a longer one some steps are left out, of one with more channels the later ones."""


@dataclass(frozen=True)
class Example:
    """A sample with what was told of it, a class or a number, and what is true."""

    sample: np.ndarray | str
    """An image (C, H, W), uint8, a sequence (L, C), floating point, or a text."""
    predicted: str
    true: str
    confidence: float | None = None
    """Of the prediction, 0 to 1, where it has one."""


@house_style
def examples_figure(examples: Sequence[Example], description: str) -> Figure:
    """The examples in reading order: what is predicted above, confidence below, and what is true where it differs.

    Texts stand below each other, with the same beside them.
    """
    if isinstance(examples[0].sample, str):
        return _texts(examples, description)
    columns = min(COLUMNS, len(examples))
    rows = -(-len(examples) // columns)
    height, width = examples[0].sample.shape[1:] if examples[0].sample.ndim == 3 else (2, 3)
    cell = WIDTH / COLUMNS
    picture = min((cell - 0.15) * height / width, 2.5)
    figure = new_figure(description, cell * columns, (picture + 0.62) * rows)
    for axes, example in zip(figure.subplots(rows, columns, squeeze=False).flat, examples, strict=False):
        (_draw_image if example.sample.ndim == 3 else _draw_sequence)(axes, example.sample)
        right = example.predicted == example.true
        axes.set_title(
            shortened(example.predicted, 14), color=INK if right else VERMILION, fontsize=9, loc="center", pad=4
        )
        lines = [*_sure(example), *([] if right else [f"is {shortened(example.true, 16)}"])]
        for number, line in enumerate(lines):
            below = {"xy": (0.5, 0), "xycoords": "axes fraction", "textcoords": "offset points"}
            position = (0, -4 - 10 * number)
            axes.annotate(line, **below, xytext=position, ha="center", va="top", color=MUTED, fontsize=8)
    for axes in figure.axes:
        axes.grid(False)
        axes.spines[:].set_visible(False)
        axes.set(xticks=[], yticks=[])
    return figure


def _texts(examples: Sequence[Example], description: str) -> Figure:
    shown = [_lines(example.sample) for example in examples]
    tops = np.cumsum([0, *(len(lines) + 0.7 for lines in shown)])
    figure = new_figure(description, WIDTH, 0.17 * tops[-1] + 0.1)
    axes = figure.add_subplot()
    for example, lines, top in zip(examples, shown, tops, strict=False):
        right = example.predicted == example.true
        said = f"{shortened(example.predicted, 18)}{'' if right else f', is {shortened(example.true, 18)}'}"
        axes.text(0, top, "\n".join(lines), va="top", linespacing=1.25)
        axes.text(0.69, top, said, va="top", color=INK if right else VERMILION)
        axes.text(1, top, "".join(_sure(example)), va="top", ha="right", color=MUTED, fontsize=8)
    axes.set(xlim=(0, 1), ylim=(tops[-1], -0.2))
    axes.set_axis_off()
    return figure


def _sure(example: Example) -> list[str]:
    return [] if example.confidence is None else [f"{percent(example.confidence)} sure"]


def _lines(text: str) -> list[str]:
    return textwrap.wrap(text, TEXT_COLUMNS, max_lines=TEXT_LINES, placeholder=" …") or ["(nothing)"]


def _draw_image(axes: Axes, image: np.ndarray) -> None:
    pixels = reduced(image, LARGEST_SIDE)
    shown = pixels.transpose(1, 2, 0) if len(pixels) == 3 else pixels[0]
    # "none" embeds the pixels as they are, however large they are shown
    axes.imshow(shown, cmap="gray", vmin=0, vmax=255, interpolation="none")


def _draw_sequence(axes: Axes, sequence: np.ndarray) -> None:
    every = -(-len(sequence) // MOST_STEPS)
    for channel, colour in zip(sequence[::every].T, DATA_COLOURS[:MOST_CHANNELS], strict=False):
        axes.plot(channel, color=colour, linewidth=1)


def percent(share: float) -> str:
    """A share as text that never rounds up to certainty."""
    return ">99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def reduced(image: np.ndarray, side: int) -> np.ndarray:
    """``image`` (C, H, W) with its longer side at most ``side`` pixels, by averaging whole blocks."""
    channels, height, width = image.shape
    block = -(-max(height, width) // side)
    if block == 1:
        return image
    rows, columns = max(height // block, 1), max(width // block, 1)
    cropped = image[:, : rows * block, : columns * block]
    return cropped.reshape(channels, rows, -1, columns, cropped.shape[2] // columns).mean((2, 4)).astype(image.dtype)
