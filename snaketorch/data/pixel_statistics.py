"""Mean and standard deviation of pixels."""

import numpy as np

from snaketorch.errors import DataError

CHUNK_VALUES = 2**22
"""Pixels that are counted at once: the array may be larger than the memory."""


def pixel_statistics(samples: np.ndarray) -> dict[str, list[float]]:
    """Mean and standard deviation of value/255 in each channel.

    From counts of the 256 levels, so exact up to the last division and the same on every machine.
    A channel in which all pixels are alike has a standard deviation of 1 here, to divide by; DataError when all
    channels are such: then there is nothing to learn.

    Args:
        samples: uint8, (samples, channels, height, width), or with frames before the channels; may be memory-mapped.
    """
    channels = samples.shape[-3]
    counts = np.zeros((channels, 256), np.int64)
    rows = max(1, CHUNK_VALUES // int(np.prod(samples.shape[1:])))
    for start in range(0, len(samples), rows):
        for channel in range(channels):
            counts[channel] += np.bincount(samples[start : start + rows, ..., channel, :, :].ravel(), minlength=256)
    levels = np.arange(256)
    mean, std = [], []
    for channel in range(channels):
        total, first, second = (int(counts[channel] @ levels**power) for power in range(3))
        # Python's integers: their products are beyond 64 bits for a few million images
        variance = (total * second - first * first) / (total * total)
        mean.append(first / total / 255)
        std.append(variance**0.5 / 255 or 1.0)
    if (np.count_nonzero(counts, axis=1) == 1).all():
        raise DataError(
            f"all pixels of the training split are {', '.join(map(str, counts.argmax(axis=1)))}; "
            "allowed: samples that differ"
        )
    return {"mean": mean, "std": std}
