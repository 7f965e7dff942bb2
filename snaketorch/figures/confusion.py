"""The confusion matrix as a picture."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from snaketorch.figures.style import BLUE, INK, MUTED, ON_COLOUR, VERMILION, WIDTH, house_style, new_figure, shortened

NUMBERS_UP_TO = 20
NAMES_UP_TO = 50
"""Largest numbers of classes whose cells have room for counts, and whose axes have room for names."""


@house_style
def confusion_figure(counts: np.ndarray, classes: Sequence[str]) -> Figure:
    """Samples of each true class (rows) by predicted class (columns).

    The strength of a cell is its share of the row, so that rare classes show as well. Mistakes are
    drawn in a colour of their own and by the square root of their share: they are what one looks for,
    and they are small.
    """
    number = len(classes)
    side = float(np.clip(0.42 * number + 1.4, 3.2, WIDTH))
    figure = new_figure("Confusion matrix: samples of each true class by predicted class", side, side)
    axes = figure.add_subplot()
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    opacity = 0.08 + 0.92 * np.where(np.eye(number, dtype=bool), shares, np.sqrt(shares))
    rows, columns = np.nonzero(counts)
    corners = np.array([[-0.5, -0.5], [-0.5, 0.5], [0.5, 0.5], [0.5, -0.5]]) * (0.94 if number <= NAMES_UP_TO else 1)
    axes.add_collection(
        PolyCollection(
            [corners + np.array([column, row]) for row, column in zip(rows, columns, strict=True)],
            facecolors=[
                to_rgba(BLUE if row == column else VERMILION, opacity[row, column])
                for row, column in zip(rows, columns, strict=True)
            ],
        )
    )
    if number <= NUMBERS_UP_TO:
        _write_numbers(axes, counts, opacity)
    _finish(axes, classes)
    return figure


def _write_numbers(axes: Axes, counts: np.ndarray, opacity: np.ndarray) -> None:
    size = 8.5 if len(counts) <= 12 else 6.5
    for (row, column), count in np.ndenumerate(counts):
        colour = MUTED if count == 0 else ON_COLOUR if opacity[row, column] > 0.75 else INK
        text = "·" if count == 0 else f"{count}"
        axes.text(column, row, text, color=colour, ha="center", va="center", fontsize=size)


def _finish(axes: Axes, classes: Sequence[str]) -> None:
    number = len(classes)
    axes.set(xlim=(-0.5, number - 0.5), ylim=(number - 0.5, -0.5), aspect="equal")
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.grid(False)
    axes.spines[:].set_visible(False)
    if number > NAMES_UP_TO:
        return
    names = [shortened(name, 16) for name in classes]
    size = 8.5 if number <= NUMBERS_UP_TO else 6
    upright = max(map(len, names)) > 3
    axes.set_yticks(range(number), names, fontsize=size)
    axes.set_xticks(range(number), names, fontsize=size)
    if upright:
        axes.tick_params(axis="x", labelrotation=45)
        for label in axes.get_xticklabels():
            label.set(ha="right", va="center", rotation_mode="anchor")
