"""Images and sequences with what was said about them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snaketorch.figures.style import DATA_COLOURS, INK, MUTED, VERMILION, WIDTH, house_style, new_figure, shortened

COLUMNS = 6
LARGEST_SIDE = 112
"""Pixels of an image as it is shown; larger ones are averaged down, so that a page stays small."""
MOST_STEPS, MOST_CHANNELS = 500, len(DATA_COLOURS)
"""Of a sequence as it is shown; of a longer one some steps are left out, of one with more channels the later ones."""


@dataclass(frozen=True)
class Example:
    """A sample with its classes and the confidence (0 to 1) of the prediction."""

    sample: np.ndarray
    """An image (C, H, W), uint8, or a sequence (L, C), floating point."""
    predicted: str
    true: str
    confidence: float


@house_style
def examples_figure(examples: Sequence[Example], description: str) -> Figure:
    """The examples in reading order: predicted class above, confidence below, and the true class where it differs."""
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
        lines = [f"{percent(example.confidence)} sure"] + ([] if right else [f"is {shortened(example.true, 16)}"])
        for number, line in enumerate(lines):
            below = {"xy": (0.5, 0), "xycoords": "axes fraction", "textcoords": "offset points"}
            position = (0, -4 - 10 * number)
            axes.annotate(line, **below, xytext=position, ha="center", va="top", color=MUTED, fontsize=8)
    for axes in figure.axes:
        axes.grid(False)
        axes.spines[:].set_visible(False)
        axes.set(xticks=[], yticks=[])
    return figure


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
