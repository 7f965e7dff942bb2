"""Preview of labelled texts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from snaketorch.data.preview import style

MOST_EXAMPLES = 3
MOST_CLASSES = 15
CHARACTERS = 84
"""Of a text that are shown."""
LINE = 0.21
"""Inches."""
TEXT_WIDTH = 7.0
"""Inches."""
HISTOGRAM = 1.0
"""Inches that the lengths take."""


def draw_texts(
    path: Path,
    title: str,
    texts: Sequence[str],
    labels: np.ndarray,
    classes: Sequence[str],
    counts: Mapping[str, Sequence[int]],
    lengths: np.ndarray | None = None,
) -> None:
    """A few lines a class: how its first training texts begin, and its samples in each split; below, all lengths.

    Args:
        path: PNG file to write.
        title: Name of the dataset.
        texts: Of the training split; only those that are drawn are read when ``lengths`` are given.
        labels: int64, (texts,).
        classes: Names.
        counts: Samples of each class, by split.
        lengths: Of all training texts in tokens; in characters of ``texts`` when absent.
    """
    shown = [style.shorten(style.plain_text(name)) for name in classes[:MOST_CLASSES]]
    unit = "tokens"
    if lengths is None:
        lengths, unit = np.array([len(text) for text in texts]), "characters"
    left, top = 0.4 + 0.085 * max(map(len, shown)), 0.85
    right = 0.3 + style.count_width(counts) * len(counts)
    is_cut = len(classes) > len(shown)
    bottom = 0.55 + HISTOGRAM + 0.45 + 0.3 * is_cut
    band = LINE * (MOST_EXAMPLES + 0.6)
    width, height = left + TEXT_WIDTH + right, top + band * len(shown) + bottom
    figure = style.blank(width, height)
    box = (left / width, bottom / height, TEXT_WIDTH / width, band * len(shown) / height)
    axes = figure.add_axes(box)
    axes.set(xlim=(0, 1), ylim=(len(shown), 0))
    axes.set_axis_off()
    across = axes.get_yaxis_transform()
    for label, name in enumerate(shown):
        axes.axhline(label, color="#e4e4e4", linewidth=0.6)
        axes.text(-0.12 / TEXT_WIDTH, label + 0.5, name, transform=across, ha="right", va="center", color=style.INK)
        for line, index in enumerate(np.flatnonzero(labels == label)[:MOST_EXAMPLES]):
            y = label + (line + 0.8) * LINE / band
            # ahead of the cut, so that a very long text costs no time
            begin = style.shorten(style.plain_text(texts[index][: 4 * CHARACTERS]), CHARACTERS)
            is_empty = not begin
            axes.text(
                0,
                y,
                "(empty)" if is_empty else begin,
                va="center",
                size=8.5,
                family="DejaVu Sans Mono",
                color=style.FAINT if is_empty else style.INK,
            )
    style.count_columns(axes, counts, np.arange(len(shown)) + 0.5, TEXT_WIDTH)
    if is_cut:
        y = (bottom - 0.2) / height
        figure.text(left / width, y, f"and {len(classes) - len(shown)} more classes", color=style.FAINT)
    every = sum(map(sum, counts.values()))
    style.head(figure, title, f"{every:,} texts, {len(classes)} classes")
    _lengths(figure, lengths, unit, left)
    style.save(figure, path)


def _lengths(figure, lengths: np.ndarray, unit: str, left: float) -> None:
    width, height = figure.get_size_inches()
    axes = figure.add_axes((left / width, 0.55 / height, TEXT_WIDTH / width, HISTOGRAM / height))
    # bins of whole numbers: others would hold now one length, now two
    step = max(1, -(-int(lengths.max() - lengths.min() + 1) // 40))
    bins = np.arange(lengths.min(), lengths.max() + step + 1, step) - 0.5
    axes.hist(lengths, bins=bins, color=style.COLOURS["train"], alpha=0.75)
    axes.set_xlabel(f"length of a training text in {unit} (median {np.median(lengths):,.0f})", color=style.INK, size=9)
    axes.set_ylabel("texts", color=style.INK, size=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=style.INK, labelsize=8)
    axes.locator_params(axis="y", nbins=3)
