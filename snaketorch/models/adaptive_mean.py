"""Means over the parts of a map, whatever its size."""

import torch
from torch import Tensor, nn


class AdaptiveMean(nn.Module):
    """(B, C, H, W) -> (B, C, height, width): what ``nn.AdaptiveAvgPool2d`` gives, for each of them.

    That layer's gradients on a GPU depend on the order in which they are added up, and torch refuses them where a
    training must be repeatable.
    """

    def __init__(self, height: int, width: int):
        super().__init__()
        self.height, self.width = height, width

    def forward(self, maps: Tensor) -> Tensor:
        return _means(_means(maps, 2, self.height), 3, self.width)


def _means(maps: Tensor, dim: int, parts: int) -> Tensor:
    """Means over ``parts`` of equal length along ``dim``; where they do not divide it, neighbours share a pixel."""
    size = maps.shape[dim]
    if size == parts:
        return maps
    ends = [(part * size // parts, -(-(part + 1) * size // parts)) for part in range(parts)]
    return torch.stack([maps.narrow(dim, start, end - start).mean(dim) for start, end in ends], dim)
