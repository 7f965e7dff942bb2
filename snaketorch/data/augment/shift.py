"""Flips and moves by whole pixels: every value comes out as it went in, no interpolation."""

import torch
from torch import Tensor

from snaketorch.data.augment.padding import padded


def shifted(
    images: Tensor,
    left_right: Tensor | None,
    upside_down: Tensor | None,
    moves: tuple[Tensor, Tensor] | None,
    padding: int,
    mode: str,
) -> Tensor:
    """Images (B, F, H, W) mirrored where the flags (B,) say so, and moved by ``moves``.

    ``moves`` are the first row and column (B,) of the part that stays, of the image padded by ``padding``.
    Each row of the result is one stretch of memory of the padded image, so a copy of rows does it all:
    3 times as fast on a CPU as a gather of pixels.
    """
    if left_right is not None:
        # both of each image side by side, and a copy of one: a ninth of the time of torch.where on a CPU
        both = torch.stack((images, images.flip(3)), 1)
        first = torch.arange(0, 2 * len(images), 2, device=images.device)
        images = both.flatten(0, 1).index_select(0, first + left_right)
    if upside_down is None and moves is None:
        return images
    count, frames, height, width = images.shape
    wide = padded(images, padding, mode).contiguous()
    rows, columns = wide.shape[2:]
    row = torch.arange(height, device=images.device).expand(count, height)
    if upside_down is not None:
        row = torch.where(upside_down.unsqueeze(1), height - 1 - row, row)
    image = torch.arange(count * frames, device=images.device).view(count, frames, 1) * (rows * columns)
    if moves is not None:
        top, left = moves
        # an upside-down image is moved after it is turned
        top = top if upside_down is None else torch.where(upside_down, 2 * padding - top, top)
        start = image + ((row + top.unsqueeze(1)) * columns + left.unsqueeze(1)).unsqueeze(1)
    else:
        start = image + (row * columns).unsqueeze(1)
    stretches = wide.view(-1).as_strided((wide.numel() - width + 1, width), (1, 1))
    return stretches.index_select(0, start.flatten()).view(images.shape)
