"""Images in rows and columns."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from snaketorch.figures.examples import LARGEST_SIDE, reduced
from snaketorch.figures.style import INK, WIDTH, house_style, new_figure, shortened

LARGEST_CELL = 0.75
"""Inches that an image is wide, at most."""
NAME_WIDTH = 0.8


@house_style
def image_table(
    images: np.ndarray, description: str, row_names: Sequence[str] = (), column_names: Sequence[str] = ()
) -> Figure:
    """A table of images, with names at its left and above it where there are any.

    Args:
        images: uint8, (R, K, C, H, W), of one or three channels.
        description: What it says to those who cannot see it.
        row_names: One a row, or none.
        column_names: One a column, or none.
    """
    picture = _mosaic(images)
    height, width = picture.shape[:2]
    columns, named = images.shape[1], bool(row_names)
    picture_width = min(WIDTH - NAME_WIDTH * named, LARGEST_CELL * columns)
    figure = new_figure(
        description, picture_width + NAME_WIDTH * named, picture_width * height / width + 0.2 + 0.2 * bool(column_names)
    )
    axes = figure.subplots()
    # "none" embeds the pixels as they are, however large they are shown
    axes.imshow(picture, interpolation="none", extent=(0, columns, len(images), 0), aspect="auto")
    axes.set_yticks(np.arange(len(row_names)) + 0.5, row_names, color=INK)
    names = [shortened(name, 10) for name in column_names]
    axes.set_xticks(np.arange(len(names)) + 0.5, names, color=INK)
    axes.xaxis.tick_top()
    axes.grid(False)
    axes.spines[:].set_visible(False)
    return figure


def _mosaic(images: np.ndarray) -> np.ndarray:
    """One picture (height, width, 4), transparent between the images."""
    rows = [[reduced(image, LARGEST_SIDE) for image in row] for row in images]
    _, height, width = rows[0][0].shape
    gap = max(1, round(0.06 * min(height, width)))
    picture = np.zeros((len(rows) * (height + gap) - gap, len(rows[0]) * (width + gap) - gap, 4), np.uint8)
    for number, row in enumerate(rows):
        for column, image in enumerate(row):
            y, x = number * (height + gap), column * (width + gap)
            # grey images have one channel, which broadcasts to three
            picture[y : y + height, x : x + width, :3] = image.transpose(1, 2, 0)
            picture[y : y + height, x : x + width, 3] = 255
    return picture
