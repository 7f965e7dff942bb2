"""What is put where nothing was."""

import torch
from torch import Tensor
from torch.nn import functional as F


def padded(images: Tensor, padding: int, mode: str) -> Tensor:
    """Images (B, F, H, W) with ``padding`` pixels more on each side.

    ``reflection`` mirrors at the outer edge of the last pixel, which so comes twice, as ``grid_sample`` does
    with ``align_corners=False``.
    """
    if not padding:
        return images
    if mode == "zeros":
        return F.pad(images, (padding,) * 4)
    for axis in (2, 3):
        images = images.index_select(axis, _sources(images.shape[axis], padding, mode, images.device))
    return images


def _sources(size: int, padding: int, mode: str, device: torch.device) -> Tensor:
    """Which pixel of a line of ``size`` each pixel of the padded line is."""
    place = torch.arange(-padding, size + padding, device=device)
    if mode == "border":
        return place.clamp(0, size - 1)
    place = place.remainder(2 * size)
    return torch.minimum(place, 2 * size - 1 - place)
