"""Preview of labelled images."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from snaketorch.data.preview import style

MOST_EXAMPLES = 12
MOST_PIXELS = 160
ROW = 0.42
"""Inches that an image is high, whatever its size in pixels."""


def draw_images(
    path: Path,
    title: str,
    images: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    counts: Mapping[str, Sequence[int]],
    line: str = "",
) -> None:
    """A row a class: its name, its first training images, its samples in each split.

    Args:
        path: PNG file to write.
        title: Name of the dataset.
        images: uint8, (samples, channels, height, width), of the training split; may be memory-mapped.
        labels: int64, (samples,).
        classes: Names.
        counts: Samples of each class, by split.
        line: What the classes are; how many when empty.
    """
    _, channels, pixels_high, pixels_wide = images.shape
    shown = min(len(classes), style.MOST_CLASSES)
    cell = float(np.clip(ROW * pixels_wide / pixels_high, 0.05, 5))
    examples = int(np.clip(MOST_EXAMPLES * ROW / cell, 1, MOST_EXAMPLES))
    draw_mosaic(
        path,
        title,
        f"{sum(map(sum, counts.values())):,} images, {pixels_high}x{pixels_wide} pixels, "
        f"{'grey' if channels == 1 else 'colour'}, {style.plain_text(line) or f'{len(classes)} classes'}",
        mosaic(images, labels, shown, examples),
        cell * examples,
        classes,
        counts,
    )


def draw_mosaic(
    path: Path,
    title: str,
    line: str,
    picture: np.ndarray,
    picture_width: float,
    classes: Sequence[str],
    counts: Mapping[str, Sequence[int]],
) -> None:
    """Writes a picture that has a band a class, between the names and the counts of the classes.

    Args:
        path: PNG file to write.
        title: Name of the dataset.
        line: What it is.
        picture: uint8, (height, width, 3).
        picture_width: Inches.
        classes: Names.
        counts: Samples of each class, by split.
    """
    shown = [style.shorten(style.plain_text(name)) for name in classes[: style.MOST_CLASSES]]
    left, top = 0.35 + 0.085 * max(map(len, shown)), 0.85
    right = 0.3 + style.count_width(counts) * len(counts)
    bottom = 0.45 if len(classes) > len(shown) else 0.2
    picture_height = ROW * len(shown)
    # the head's line of text needs about five inches
    width, height = max(left + picture_width + right, 5.0), top + picture_height + bottom
    figure = style.blank(width, height)
    axes = figure.add_axes((left / width, bottom / height, picture_width / width, picture_height / height))
    enlarged = picture.shape[0] < picture_height * style.DPI
    axes.imshow(
        picture, aspect="auto", extent=(0, 1, len(shown), 0), interpolation="nearest" if enlarged else "antialiased"
    )
    axes.set_axis_off()

    style.head(figure, title, line)
    across, centres = axes.get_yaxis_transform(), np.arange(len(shown)) + 0.5
    for name, y in zip(shown, centres, strict=True):
        axes.text(-0.12 / picture_width, y, name, transform=across, ha="right", va="center", color=style.INK)
    style.count_columns(axes, counts, centres, picture_width)
    if len(classes) > len(shown):
        more = f"and {len(classes) - len(shown)} more classes"
        figure.text(left / width, 0.15 / height, more, color=style.FAINT)
    style.save(figure, path)


def mosaic(images: np.ndarray, labels: np.ndarray, num_classes: int, examples: int) -> np.ndarray:
    """The first images of each class side by side on white, (height, width, 3)."""
    step = -(-max(images.shape[2:]) // MOST_PIXELS)
    height, width = images[0, 0, ::step, ::step].shape
    gap = max(1, round(0.06 * min(height, width)))
    picture = np.full((num_classes * (height + gap), examples * (width + gap), 3), 255, np.uint8)
    for label in range(num_classes):
        for column, index in enumerate(np.flatnonzero(labels == label)[:examples]):
            y, x = label * (height + gap), column * (width + gap)
            # grey images have one channel, which broadcasts to three
            picture[y : y + height, x : x + width] = images[index, :, ::step, ::step].transpose(1, 2, 0)
    return picture
