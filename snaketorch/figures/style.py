"""One look for every figure, in vectors that a page can recolour.

Text, axes, grids and backgrounds use ``INK``, ``MUTED``, ``GRID`` and ``PAPER`` and nothing else. Their
exact hexadecimal values stand in the SVG, where ``snaketorch.figures.inline`` finds them and puts the
page's own colours in their place. The data colours are the same on light and on dark paper: they are
told apart with any colour vision, and stand out at 3:1 or more from both.
"""

import io
import re
import warnings
from collections.abc import Sequence
from pathlib import Path

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snaketorch.publish import write_text

INK = "#1c2126"
MUTED = "#66707a"
GRID = "#e3e7eb"
PAPER = "#fdfdfc"

# after Okabe and Ito (https://jfly.uni-koeln.de/color/), as light or dark as both papers allow
BLUE = "#1279bb"
VERMILION = "#d55e00"
GREEN = "#009e73"
PURPLE = "#b5639a"
DATA_COLOURS = (BLUE, VERMILION, GREEN, PURPLE)
ON_COLOUR = "#ffffff"
"""Text on a patch of data colour; not replaced on dark paper, as the patch is not either."""

FONT_STACK = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
MONOSPACED_STACK = "ui-monospace, Menlo, Consolas, 'Liberation Mono', monospace"
MONOSPACED = "DejaVu Sans Mono"
"""The font of text whose signs are all as wide; readers see it in their own."""
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Signs that a text may hold, such as the form feed between two pages, and no XML document."""
_LAYOUT_FONT = "DejaVu Sans"  # comes with Matplotlib, so every machine lays out alike; wide, so others fit

WIDTH = 7.5
"""Inches of a figure over the width of a page's text."""

LEGEND_HANDLE, LEGEND_CHARACTER = 0.5, 0.085
"""Inches that an entry of a legend takes beside its text, and each character of that."""

house_style = matplotlib.style.context(
    [
        "default",  # not the matplotlibrc of whoever runs this
        {
            "axes.axisbelow": True,
            "axes.edgecolor": MUTED,
            "axes.facecolor": "none",
            "axes.formatter.useoffset": False,
            "axes.grid": True,
            "axes.labelcolor": INK,
            "axes.labelsize": 9,
            "axes.linewidth": 0.8,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlecolor": INK,
            "axes.titlelocation": "left",
            "axes.titlepad": 8,
            "axes.titlesize": 10,
            "axes.titleweight": "bold",
            "figure.constrained_layout.h_pad": 0.08,
            "figure.constrained_layout.w_pad": 0.08,
            "figure.facecolor": "none",
            "font.family": _LAYOUT_FONT,
            "font.size": 9,
            "grid.color": GRID,
            "grid.linewidth": 0.8,
            "legend.borderaxespad": 0,
            "legend.borderpad": 0.2,
            "legend.fontsize": 9,
            "legend.frameon": False,
            "legend.labelcolor": INK,
            "lines.linewidth": 1.8,
            "lines.solid_capstyle": "round",
            "patch.linewidth": 0,
            "savefig.facecolor": "none",
            "svg.fonttype": "none",
            "text.color": INK,
            "text.parse_math": False,  # names of classes and channels may hold a dollar sign
            "xtick.color": MUTED,
            "xtick.labelcolor": INK,
            "xtick.labelsize": 8.5,
            "xtick.major.pad": 5,
            "xtick.major.size": 0,
            "xtick.minor.size": 0,
            "ytick.color": MUTED,
            "ytick.labelcolor": INK,
            "ytick.labelsize": 8.5,
            "ytick.major.size": 0,
            "ytick.minor.size": 0,
        },
    ]
)
"""Decorator of every function that draws."""


def new_figure(description: str, width: float, height: float) -> Figure:
    """An empty figure of ``width`` by ``height`` inches; ``description`` is what it says to those who cannot see it."""
    return Figure(figsize=(width, height), layout="constrained", label=description)


def legend_above(figure: Figure, axes: Axes) -> None:
    """One legend for the whole figure, of what ``axes`` shows, above the panels where it hides no data."""
    handles, labels = axes.get_legend_handles_labels()
    columns = _legend_columns(labels, figure.get_figwidth())
    figure.legend(handles, labels, loc="outside upper left", ncols=columns, handlelength=1.6, columnspacing=1.6)


def _legend_columns(labels: Sequence[str], width: float) -> int:
    """The most columns of a legend, filled from top to bottom, that fit into ``width`` inches."""
    for columns in range(len(labels), 1, -1):
        # as Matplotlib does it: the first ones have an entry more
        widest = [max(map(len, column)) for column in np.array_split(labels, columns)]
        if sum(LEGEND_HANDLE + LEGEND_CHARACTER * characters for characters in widest) <= width:
            return columns
    return 1


def shortened(text: str, length: int) -> str:
    """``text``, with an ellipsis for what is beyond ``length`` characters."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


@house_style
def as_svg(figure: Figure, name: str) -> str:
    """The figure as SVG text. Equal figures of one ``name`` give equal text; two names share no ids.

    Text stays text: readers search it, and the page's font shows it.
    """
    buffer = io.StringIO()
    metadata = {"Title": figure.get_label(), "Date": None, "Creator": None, "Format": None, "Type": None}
    with matplotlib.rc_context({"svg.hashsalt": name}), warnings.catch_warnings():
        # the layout font need not know every script: the reader's font draws the text
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", metadata=metadata)
    figure.set_layout_engine("none")  # it would move things a little each time
    svg = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", buffer.getvalue())
    svg = re.sub(rf"[\"']{_LAYOUT_FONT}[\"']", FONT_STACK, svg)
    return re.sub(rf"[\"']{MONOSPACED}[\"']", MONOSPACED_STACK, svg)


def save(figure: Figure, path: Path, name: str) -> None:
    """Publishes the figure as an SVG file; for ``name`` see ``as_svg``."""
    write_text(path, as_svg(figure, name))
