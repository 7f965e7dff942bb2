"""The values of a whole image moved by what its histogram says, on values from 0 to 255."""

import torch
from torch import Tensor

from snaketorch.data.augment.slices import by_slices

LEVELS = 256


def stretched(images: Tensor, channels: int) -> Tensor:
    """Each channel of (B, T * C, H, W) from black to white; a channel of one value stays."""
    layers = images.unflatten(1, (-1, channels))
    low, high = layers.amin((1, 3, 4), keepdim=True), layers.amax((1, 3, 4), keepdim=True)
    flat = high <= low
    factor = torch.where(flat, 1.0, 255 / (high - low))
    return ((layers - torch.where(flat, 0, low)) * factor).flatten(1, 2)


def equalized(images: Tensor, channels: int) -> Tensor:
    """Each channel of (B, T * C, H, W), in whole numbers, with all values about as often as the others.

    What Pillow's ``ImageOps.equalize`` does, in whole numbers throughout. A channel stays that is so small
    or so even that its values without the brightest would not fill 255 levels.
    """
    return by_slices(lambda some: _equalized(some, channels), images)


def _equalized(images: Tensor, channels: int) -> Tensor:
    layers = images.unflatten(1, (-1, channels)).transpose(1, 2)
    level = layers.flatten(2).round().long()  # (B, C, T * H * W)
    one = torch.ones((), dtype=torch.int32, device=images.device)
    counts = torch.zeros(*level.shape[:2], LEVELS, dtype=torch.int32, device=images.device)
    counts.scatter_add_(2, level, one.expand_as(level))
    brightest = counts.gather(2, level.amax(2, keepdim=True))
    step = (level.shape[2] - brightest) // (LEVELS - 1)
    darker = counts.cumsum(2, dtype=torch.int32) - counts
    table = ((darker + step // 2) // step.clamp(min=1)).clamp(max=LEVELS - 1)
    table = torch.where(step > 0, table, torch.arange(LEVELS, device=images.device))
    found = table.to(images.dtype).gather(2, level)
    return found.view(layers.shape).transpose(1, 2).flatten(1, 2)
