"""Changes that only some samples of a batch undergo."""

from collections.abc import Callable

import torch
from torch import Tensor


def changed(images: Tensor, chosen: Tensor, change: Callable[..., Tensor], *values: Tensor) -> Tensor:
    """``images`` (B, F, H, W) of which those that are ``chosen`` (B,) become ``change(images, *values)``.

    Each sample has its own part of ``values`` (B,). A CPU changes no more than it must, in place. Elsewhere
    all are changed and the others are thrown away: to count the chosen, the host would wait for the device.
    """
    if images.device.type != "cpu":
        return torch.where(chosen.view(-1, 1, 1, 1), change(images, *values), images)
    rows = chosen.nonzero().squeeze(1)
    parts = (part.index_select(0, rows) for part in (images, *values))
    return images.index_copy_(0, rows, change(*parts))
