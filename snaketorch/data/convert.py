"""Images brought to one size and number of channels, once, before any training."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

CHUNK_VALUES = 2**23
"""Pixels, in and out, that are worked on at once: 64 MB as float64."""


def convert_images(images: np.ndarray, size: Sequence[int] | None, channels: int | None) -> np.ndarray:
    """Images in the size and number of channels that are asked for, on the GPU where there is one.

    Bilinear with antialiasing; grey from colour by the weights of ITU-R 601. Rounded once, at the
    end, in a way that gives the same bytes on a CPU and a GPU.

    Args:
        images: uint8, (samples, channels, height, width).
        size: Height and width in pixels; as they are when None.
        channels: 1 or 3; as they are when None.

    Returns:
        uint8, (samples, channels, *size).
    """
    _, old_channels, *old_size = images.shape
    size, channels = list(size or old_size), channels or old_channels
    if size == old_size and channels == old_channels:
        return images
    if size == old_size and old_channels == 1:
        return np.repeat(images, channels, axis=1)

    # imported here, because series, and images that stay as they are, do without seconds of imports
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    converted = np.empty((len(images), channels, *size), np.uint8)
    rows = _rows_at_once(images[0].size, converted[0].size)
    for start in range(0, len(images), rows):
        chunk = torch.from_numpy(images[start : start + rows]).to(device)
        converted[start : start + rows] = convert_tensors(chunk, size, channels).cpu().numpy()
    return converted


def convert_tensors(images: "torch.Tensor", size: Sequence[int], channels: int) -> "torch.Tensor":
    """As ``convert_images``, of a tensor and on its device."""
    import torch
    from torchvision.transforms.v2 import functional

    count, old_channels, *old_size = images.shape
    if [*size] == old_size and channels == old_channels:
        return images
    converted = torch.empty((count, channels, *size), dtype=torch.uint8, device=images.device)
    values = old_channels * old_size[0] * old_size[1]

    def resized(chunk: torch.Tensor) -> torch.Tensor:
        # float64: CPU and GPU add in a different order, and the difference must stay far below what rounding sees
        return functional.resize(
            chunk.double(), [*size], interpolation=functional.InterpolationMode.BILINEAR, antialias=True
        )

    rows = _rows_at_once(values, channels * size[0] * size[1])
    for start in range(0, count, rows):
        if values > CHUNK_VALUES:  # a large photograph: each channel for itself takes a third of the memory
            parts = [resized(images[start : start + 1, [channel]]) for channel in range(old_channels)]
            chunk = torch.cat(parts, dim=1)
        else:
            chunk = resized(images[start : start + rows])
        if channels < old_channels:
            chunk = functional.rgb_to_grayscale(chunk)
        # halves come up exactly and are common: this little more makes them all go up, on every device
        chunk = (chunk + 0.5 + 1e-6).floor().clamp(0, 255).to(torch.uint8)
        converted[start : start + rows] = chunk.expand(-1, channels, -1, -1)
    return converted


def _rows_at_once(values: int, converted_values: int) -> int:
    return max(1, CHUNK_VALUES // (values + converted_values))


def describe_shape(shape: Sequence[int]) -> str:
    """``16x16 pixels, grey``; of (channels, height, width)."""
    channels, height, width = shape
    return f"{height}x{width} pixels, {'grey' if channels == 1 else 'colour'}"
