"""Preview of labelled sequences."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from snaketorch.data.preview import style
from snaketorch.data.preview.series import outline

MOST_EXAMPLES = 4
MOST_CHANNELS = len(style.LINES)
ROW = 0.62
"""Inches that a sequence is high."""
CELL = 1.6
"""Inches that a sequence is wide."""


def draw_sequences(
    path: Path,
    title: str,
    sequences: Sequence[np.ndarray],
    labels: np.ndarray,
    classes: Sequence[str],
    counts: Mapping[str, Sequence[int]],
    channels: Sequence[str],
    line: str = "",
) -> None:
    """A row a class: its first training sequences as lines, and its samples in each split.

    All are drawn to the same scale: a channel's values from bottom to top, the longest sequence shown
    from left to right.

    Args:
        path: PNG file to write.
        title: Name of the dataset.
        sequences: Each (steps, channels), of the training split; only those that are drawn are read.
        labels: int64, (samples,).
        classes: Names.
        counts: Samples of each class, by split.
        channels: Names.
        line: What the classes are; how many when empty.
    """
    shown = [style.shorten(style.plain_text(name)) for name in classes[: style.MOST_CLASSES]]
    drawn = [
        [np.asarray(sequences[index])[:, :MOST_CHANNELS] for index in np.flatnonzero(labels == label)[:MOST_EXAMPLES]]
        for label in range(len(shown))
    ]
    left, top = 0.35 + 0.085 * max(map(len, shown)), 0.85
    right = 0.3 + style.count_width(counts) * len(counts)
    is_keyed, is_cut = len(channels) > 1, len(classes) > len(shown)
    bottom = 0.2 + 0.3 * is_keyed + 0.25 * is_cut
    picture_width, picture_height = CELL * MOST_EXAMPLES, ROW * len(shown)
    width, height = left + picture_width + right, top + picture_height + bottom
    figure = style.blank(width, height)
    axes = figure.add_axes((left / width, bottom / height, picture_width / width, picture_height / height))
    axes.set(xlim=(0, MOST_EXAMPLES), ylim=(len(shown), 0))
    axes.set_axis_off()
    _lines(axes, drawn)

    every = sum(map(sum, counts.values()))
    plural = "s" if len(channels) > 1 else ""
    style.head(
        figure,
        title,
        f"{every:,} sequences, {len(channels)} channel{plural}, {style.plain_text(line) or f'{len(classes)} classes'}",
    )
    across, centres = axes.get_yaxis_transform(), np.arange(len(shown)) + 0.5
    for name, y in zip(shown, centres, strict=True):
        axes.text(-0.12 / picture_width, y, name, transform=across, ha="right", va="center", color=style.INK)
    style.count_columns(axes, counts, centres, picture_width)
    if is_keyed:
        style.line_key(figure, channels[:MOST_CHANNELS], len(channels), left, 0.22 + 0.25 * is_cut)
    if is_cut:
        more = f"and {len(classes) - len(shown)} more classes"
        figure.text(left / width, 0.15 / height, more, color=style.FAINT)
    style.save(figure, path)


def _lines(axes, drawn: Sequence[Sequence[np.ndarray]]) -> None:
    every = [sequence for row in drawn for sequence in row]
    longest = max(len(sequence) for sequence in every)
    low = np.min([sequence.min(0) for sequence in every], axis=0)
    high = np.max([sequence.max(0) for sequence in every], axis=0)
    for y, row in enumerate(drawn):
        axes.axhline(y, color="#e4e4e4", linewidth=0.6)
        for x, sequence in enumerate(row):
            for channel in range(sequence.shape[1]):
                rows = outline(sequence[:, channel])
                step = (sequence[rows, channel] - low[channel]) / max(high[channel] - low[channel], 1e-12)
                axes.plot(
                    x + 0.94 * rows / max(longest - 1, 1),
                    y + 0.9 - 0.8 * step,
                    color=style.LINES[channel],
                    linewidth=0.8,
                    solid_joinstyle="round",
                )
