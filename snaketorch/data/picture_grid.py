"""Images side by side in one picture."""

from pathlib import Path

import numpy as np
from PIL import Image

from snaketorch.publish import whole_file

SMALLEST_SIDE = 32
"""Pixels of an image in the picture: smaller ones are enlarged by a whole factor, so that they can be seen."""
GAP = 2


def save_grid(path: Path, images: np.ndarray, columns: int) -> None:
    """Publishes ``images`` (N, C, H, W), uint8, of one or three channels, row by row, as a PNG file."""
    factor = -(-SMALLEST_SIDE // max(images.shape[2:]))
    large = images.repeat(factor, axis=2).repeat(factor, axis=3)
    count, channels, height, width = large.shape
    rows = -(-count // columns)
    picture = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, channels), 255, np.uint8)
    for number, image in enumerate(large):
        y, x = number // columns * (height + GAP), number % columns * (width + GAP)
        picture[y : y + height, x : x + width] = image.transpose(1, 2, 0)
    with whole_file(path) as temporary:
        Image.fromarray(picture[:, :, 0] if channels == 1 else picture).save(temporary, optimize=True)
