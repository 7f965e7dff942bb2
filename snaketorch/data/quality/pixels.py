"""One pass over images: what stands for each, how bright it is, what it looks like from afar."""

from dataclasses import dataclass

import numpy as np

from snaketorch.data.quality.digests import chunk_digests, chunks

GRID = 8
"""An image from afar has so many fields a side."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Of each image, in their order."""

    digests: np.ndarray
    """uint64, (images, 2), of all pixels."""
    mean: np.ndarray
    """float32, (images,): brightness, 0 to 255."""
    std: np.ndarray
    """float32, (images,): contrast, 0 to 127.5."""
    looks: np.ndarray
    """uint64, (images,): a bit for each field of an 8x8 grid, whether it is brighter than the mean of all."""
    is_grey: bool
    """Whether all have three channels that are alike."""
    flat_channels: tuple[int, ...]
    """Channels that have one value in all images."""


def measure(images: np.ndarray) -> Measured:
    """Reads images (samples, [frames,] channels, height, width), uint8, once; of a clip the middle frame is measured.

    The digest stands for all frames.
    """
    digests = np.empty((len(images), 2), np.uint64)
    mean, std = np.empty((2, len(images)), np.float32)
    looks = np.empty(len(images), np.uint64)
    channels = images.shape[-3]
    is_grey, low, high = channels == 3, np.full(channels, 255), np.zeros(channels, int)
    for start, part in chunks(images):
        rows = slice(start, start + len(part))
        digests[rows] = chunk_digests(part)
        frame = part[:, part.shape[1] // 2] if part.ndim == 5 else part
        values = frame.reshape(len(frame), -1).astype(np.float32)
        mean[rows] = values.mean(1)
        values -= mean[rows, None]
        std[rows] = np.sqrt(np.einsum("ij,ij->i", values, values) / values.shape[1])
        looks[rows] = _looks(frame)
        is_grey = is_grey and bool((frame[:, 0] == frame[:, 1]).all() and (frame[:, 1] == frame[:, 2]).all())
        if (low < high).all():
            continue
        low = np.minimum(low, frame.min((0, 2, 3)))
        high = np.maximum(high, frame.max((0, 2, 3)))
    flat = tuple(np.flatnonzero(low >= high).tolist())
    return Measured(digests, mean, std, looks, is_grey, flat)


def thumbnails(images: np.ndarray, rows: np.ndarray, most: int = 16) -> np.ndarray:
    """float32, (rows, features): the images of ``rows``, thinned out to ``most`` pixels a side, 0 to 1."""
    step = -(-max(images.shape[-2:]) // most)
    small = []
    for row in rows:
        frame = images[row, images.shape[1] // 2] if images.ndim == 5 else images[row]
        high, wide = frame.shape[1] // step * step, frame.shape[2] // step * step
        if not high or not wide:
            small.append(frame[:, ::step, ::step].astype(np.float32).ravel())
            continue
        blocks = frame[:, :high, :wide].reshape(len(frame), high // step, step, wide // step, step)
        small.append(blocks.mean((2, 4), dtype=np.float32).ravel())
    return np.stack(small) / 255


def _looks(frame: np.ndarray) -> np.ndarray:
    """The average hash; frame: uint8, (images, channels, height, width)."""
    _, _, height, width = frame.shape
    if height < GRID or width < GRID:
        return np.zeros(len(frame), np.uint64)
    high, wide = height // GRID, width // GRID
    cut = frame[:, :, : high * GRID, : wide * GRID]
    # by rows first: the inner axis stays contiguous
    rows = cut.reshape(*cut.shape[:2], GRID, high, wide * GRID).sum((1, 3), dtype=np.uint32)
    fields = rows.reshape(len(frame), GRID, GRID, wide).sum(3, dtype=np.uint32).reshape(len(frame), -1)
    bits = fields * np.uint64(GRID * GRID) > fields.sum(1, keepdims=True, dtype=np.uint64)
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]
