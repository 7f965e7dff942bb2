"""A batch in slices, where what a change keeps beside each value would take many times the memory of the batch."""

from collections.abc import Callable

import torch
from torch import Tensor

VALUES = 1 << 22
"""In a slice, at most; one sample at least. A batch of small images is one slice."""


def slice_size(batch: Tensor) -> int:
    """Samples in each slice of a batch (B, ...)."""
    return max(1, VALUES // max(1, batch.shape[1:].numel()))


def by_slices(change: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """``change`` of images (B, ...), which it changes each on its own and leaves in shape and type."""
    size = slice_size(images)
    if len(images) <= size:
        return change(images)
    result = torch.empty_like(images)
    for part, changed in zip(images.split(size), result.split(size), strict=True):
        changed.copy_(change(part))
    return result
