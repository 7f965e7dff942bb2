"""Preview of labelled clips."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from snaketorch.data.preview import style
from snaketorch.data.preview.images import MOST_PIXELS, ROW, draw_mosaic

MOST_CLIPS = 2
MOST_FRAMES = 6
WIDEST = 9.0
"""Inches that the frames take, at most."""


def draw_clips(
    path: Path,
    title: str,
    clips: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    counts: Mapping[str, Sequence[int]],
    line: str = "",
) -> None:
    """A row a class: frames of its first training clips, and its samples in each split.

    Args:
        path: PNG file to write.
        title: Name of the dataset.
        clips: uint8, (samples, frames, channels, height, width), of the training split; may be memory-mapped.
        labels: int64, (samples,).
        classes: Names.
        counts: Samples of each class, by split.
        line: What the classes are; how many when empty.
    """
    _, length, channels, pixels_high, pixels_wide = clips.shape
    cell = float(np.clip(ROW * pixels_wide / pixels_high, 0.05, 2))
    frames = int(np.clip(WIDEST / cell // MOST_CLIPS, 1, min(MOST_FRAMES, length)))
    shown = min(len(classes), style.MOST_CLASSES)
    picture = filmstrip(clips, labels, shown, np.linspace(0, length - 1, frames).round().astype(int))
    draw_mosaic(
        path,
        title,
        f"{sum(map(sum, counts.values())):,} clips, {length} frames of {pixels_high}x{pixels_wide} pixels, "
        f"{'grey' if channels == 1 else 'colour'}, {style.plain_text(line) or f'{len(classes)} classes'}",
        picture,
        cell * frames * MOST_CLIPS,
        classes,
        counts,
    )


def filmstrip(clips: np.ndarray, labels: np.ndarray, num_classes: int, frames: np.ndarray) -> np.ndarray:
    """``frames`` of the first clips of each class, a clip's without a gap between them, (height, width, 3)."""
    step = -(-max(clips.shape[3:]) // MOST_PIXELS)
    height, width = clips[0, 0, 0, ::step, ::step].shape
    gap = max(1, round(0.08 * min(height, width)))
    clip_width = width * len(frames)
    picture = np.full((num_classes * (height + gap), MOST_CLIPS * (clip_width + 2 * gap), 3), 255, np.uint8)
    for label in range(num_classes):
        for column, index in enumerate(np.flatnonzero(labels == label)[:MOST_CLIPS]):
            for place, frame in enumerate(frames):
                y, x = label * (height + gap), column * (clip_width + 2 * gap) + place * width
                thinned = clips[index, frame, :, ::step, ::step]
                picture[y : y + height, x : x + width] = thinned.transpose(1, 2, 0)
    return picture
