"""What a language model expects of a text, and what surprises it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgba
from matplotlib.figure import Figure

from snaketorch.figures.style import (
    BLUE,
    GREEN,
    INK,
    MONOSPACED,
    MUTED,
    VERMILION,
    WIDTH,
    house_style,
    legend_above,
    new_figure,
)

COLOURS = (BLUE, GREEN)
COLUMNS = 88
"""Characters of a line."""
MARGIN = 5
"""Characters beside them, for a number."""
LINE, HEAD = 0.21, 0.62
"""Inches."""
SIGN_WIDTH = 0.602
"""Of the monospaced font, as a share of its size."""
PER_OCTAVE = 8
"""Points of a curve from one length of context to its double."""
MOST_BITS = 8.0
"""Of a token that has the full colour."""
SURPRISE = LinearSegmentedColormap.from_list("surprise", [to_rgba(VERMILION, 0), to_rgba(VERMILION, 0.75)], 17)
"""From nothing to the full colour; what is below shows through, so it does on dark paper too."""


@dataclass(frozen=True)
class Passage:
    """Some tokens that follow one another."""

    texts: Sequence[str]
    bits: np.ndarray
    """Surprise of each."""

    @property
    def mean_bits(self) -> float:
        return float(self.bits.mean())

    @property
    def letters(self) -> float:
        """The share of its signs that are letters."""
        text = "".join(self.texts)
        return sum(map(str.isalpha, text)) / max(1, len(text))

    def cells(self) -> tuple[str, np.ndarray]:
        """What to show, line ends as arrows, and the bits of each sign of it."""
        shown = [text.replace("\n", "↵").replace("\t", "→") for text in self.texts]
        text = "".join(shown)[:COLUMNS]
        return text, np.repeat(self.bits, [len(part) for part in shown])[: len(text)]


@house_style
def context_figure(bits: np.ndarray, baselines: Mapping[str, float]) -> Figure:
    """Mean surprise ``bits`` (W,) of a token by how many tokens of its window were read before it.

    ``baselines``: that of models that see no window, as levels.
    """
    figure = new_figure("Bits per token by the number of tokens read before it", 4.6, 3.2)
    axes = figure.add_subplot()
    edges = np.unique(np.geomspace(1, len(bits), round(PER_OCTAVE * np.log2(len(bits))) + 1).round().astype(int))
    counts = np.diff(edges, append=len(bits) + 1)
    read = edges + (counts - 1) / 2
    axes.plot(read, np.add.reduceat(bits, edges - 1) / counts, color=VERMILION, linewidth=1.8, label="model")
    for (name, level), colour in zip(baselines.items(), COLOURS, strict=False):
        axes.axhline(level, color=colour, linewidth=1.2, label=name)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set(xlabel="tokens read before", ylabel="bits per token")
    axes.set_ylim(bottom=0)
    legend_above(figure, axes)
    return figure


@house_style
def passages_figure(passages: Sequence[Passage], description: str) -> Figure:
    """A line of text for each passage, each token coloured by how much it surprised, with the mean at its end."""
    height = LINE * len(passages) + HEAD
    figure = new_figure(description, WIDTH, height)
    figure.set_layout_engine("none")  # placed by hand, so that the width of a sign is known
    axes = figure.add_axes((0, 0, 1, 1 - HEAD / height))
    size = 72 * WIDTH / (COLUMNS + MARGIN) / SIGN_WIDTH
    scale = Normalize(0, MOST_BITS)
    boxes, colours = [], []
    for row, passage in enumerate(passages):
        text, bits = passage.cells()
        for column, width, colour in _runs(SURPRISE(scale(bits))):
            low, high, end = row - 0.44, row + 0.44, column + width
            boxes.append([(column, low), (end, low), (end, high), (column, high)])
            colours.append(colour)
        for column, word in _words(text):
            axes.text(column, row, word, va="center", ha="left", family=MONOSPACED, fontsize=size, color=INK)
        axes.text(COLUMNS + 0.8, row, f"{passage.mean_bits:.1f}", va="center", color=MUTED, fontsize=8)
    axes.add_collection(PolyCollection(boxes, facecolors=colours, zorder=1))
    axes.set(xlim=(-0.4, COLUMNS + MARGIN - 0.4), ylim=(len(passages) - 0.5, -0.5))
    axes.set_axis_off()
    bar = figure.colorbar(
        ScalarMappable(scale, SURPRISE),
        cax=figure.add_axes((0.005, 1 - 0.38 / height, 0.3, 0.1 / height)),
        orientation="horizontal",
    )
    bar.ax.set_title(
        f"bits of a token ({MOST_BITS:g} or more in full colour), and their mean",
        fontsize=9,
        fontweight="normal",
        pad=4,
    )
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=7.5, pad=2)
    return figure


def _runs(colours: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """Where each run of equal ``colours`` (N, 4) begins, how long it is, and its colour, if it has one."""
    starts = np.flatnonzero(np.any(np.diff(colours, axis=0, prepend=-1), axis=1))
    for start, end in pairwise([*starts.tolist(), len(colours)]):
        if colours[start, 3] > 0:
            yield start, end - start, colours[start]


def _words(text: str) -> list[tuple[int, str]]:
    """Where each run of signs without a space begins: a reader's font may be a little wider or narrower than ours."""
    words, start = [], 0
    for word in text.split(" "):
        if word:
            words.append((start, word))
        start += len(word) + 1
    return words
