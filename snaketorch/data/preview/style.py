"""What all previews have in common: colours, the head, the file."""

import functools
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.patches import Patch

DPI = 150
INK = "#2b2b2b"
FAINT = "#6f6f6f"
COLOURS = {"train": "#3b6ea8", "val": "#d98a29", "test": "#7a5195"}
LINES = ("#2b2b2b", "#3b6ea8", "#d98a29", "#7a5195", "#3f8f5b", "#b8473d")
"""Of the channels of a sequence."""
TARGET = "#3f8f5b"
"""Of what is to be told; no split has it."""
MOST_CLASSES = 25


def blank(width: float, height: float) -> Figure:
    """A white figure; inches."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def head(figure: Figure, title: str, line: str) -> None:
    """The name of what is shown, and a line or more that say what it is."""
    width, height = figure.get_size_inches()
    x = 0.2 / width
    figure.text(x, 1 - 0.12 / height, title, va="top", size=13, weight="bold", color=INK)
    figure.text(x, 1 - 0.38 / height, line, va="top", size=10, color=FAINT)


def split_legend(figure: Figure, counts: Mapping[str, int]) -> None:
    """What each split's colour is, with its count, in the upper right corner."""
    _, height = figure.get_size_inches()
    figure.legend(
        handles=[Patch(color=COLOURS[split], alpha=0.45, linewidth=0) for split in counts],
        labels=[f"{split}: {count:,}" for split, count in counts.items()],
        loc="upper right",
        bbox_to_anchor=(0.98, 1 - 0.04 / height),
        ncols=len(counts),
        frameon=False,
        labelcolor=INK,
        handlelength=1.2,
        handletextpad=0.5,
        columnspacing=1.4,
    )


def line_key(figure: Figure, names: Sequence[str], every: int, left: float, bottom: float) -> None:
    """Which line is which, in one line of text.

    Args:
        figure: Its lines have the colours ``LINES`` in their order.
        names: Of the lines that are drawn.
        every: Lines that there are; the key says how many it leaves out.
        left: Inches from the left edge.
        bottom: Inches from the lower edge to the middle of the text.
    """
    width, height = figure.get_size_inches()
    x, edge = left, width - 0.3
    for number, name in enumerate(names):
        text = shorten(plain_text(name), 18)
        room = 0.1 * len(text) + (0 if number == every - 1 else 0.1 * len(f"and {every - number} more"))
        if x + room > edge:
            break
        figure.text(x / width, bottom / height, text, color=LINES[number], va="center")
        x += 0.25 + 0.085 * len(text)
    else:
        number = len(names)
    if number < every:
        figure.text(x / width, bottom / height, f"and {every - number} more", color=FAINT, va="center")


def count_width(counts: Mapping[str, Sequence[int]]) -> float:
    """Inches that a column of counts takes."""
    return 0.15 + 0.09 * max(5, len(f"{max(map(max, counts.values())):,}"))


def count_columns(axes: Axes, counts: Mapping[str, Sequence[int]], rows: np.ndarray, width: float) -> None:
    """Each class's samples in each split, right of ``axes``, which are ``width`` inches wide.

    Args:
        axes: Their y axis goes down from 0 at the top.
        counts: By split, in the order of the classes.
        rows: Middle of each class that is shown, in data coordinates.
        width: Of the axes, inches.
    """
    across, column_width = axes.get_yaxis_transform(), count_width(counts)
    for column, (split, numbers) in enumerate(counts.items()):
        x = 1 + (0.1 + column_width * (column + 1)) / width
        axes.text(x, -0.12, split, transform=across, ha="right", va="bottom", color=COLOURS[split], weight="bold")
        for number, y in zip(numbers, rows, strict=False):
            axes.text(x, y, f"{number:,}", transform=across, ha="right", va="center", color=INK)


def shorten(text: str, most: int = 24) -> str:
    """``text`` in at most ``most`` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def plain_text(text: str) -> str:
    """``text`` as a line that is drawn as it is: no line ends, nothing that asks for a formula, no missing glyphs."""
    return " ".join(drawable(text).split())


def drawable(text: str) -> str:
    """``text`` with an empty square for what the font has no glyph for, and nothing that asks for a formula."""
    known = _glyphs()
    return "".join(c if ord(c) in known or c.isspace() else "\u25a1" for c in text).replace("$", r"\$")


@functools.cache
def _glyphs() -> Set[int]:
    return (
        get_font(findfont("DejaVu Sans Mono")).get_charmap().keys()
        & get_font(findfont("DejaVu Sans")).get_charmap().keys()
    )


def save(figure: Figure, path: Path) -> None:
    """Without matplotlib's version in it, so that the same picture is the same bytes."""
    figure.savefig(path, format="png", metadata={"Software": None})
