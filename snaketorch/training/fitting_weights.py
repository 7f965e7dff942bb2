"""Trained weights for a network of the same kind that reads other images."""

import math

import torch
from torch import Tensor, nn
from torchvision.models.vision_transformer import interpolate_embeddings


def for_channels(weight: Tensor, channels: int) -> Tensor:
    """Filters (O, C, H, W) of a first convolution, for images of another number of channels.

    Each channel gets the mean of the trained ones, scaled so that a grey image, the same in all channels, gives what it
    gave before: one channel instead of three is their sum, three instead of one are thirds.
    """
    return weight.sum(1, keepdim=True).expand(-1, channels, -1, -1) / channels


def for_patches(weight: Tensor, shape: torch.Size) -> Tensor:
    """Positions (1, 1 + N, D) of a vision transformer, for another number of patches, as torchvision interpolates."""
    side = math.isqrt(shape[1] - 1)
    name = "encoder.pos_embedding"
    return interpolate_embeddings(side, 1, {name: weight.float()}, interpolation_mode="bicubic")[name]


def fitted(name: str, weight: Tensor, target: Tensor, first_convolution: str | None) -> tuple[Tensor, str] | None:
    """``weight`` in the shape of ``target`` and what was done to it; None when there is no good way."""
    theirs, ours = weight.shape, target.shape
    if name == first_convolution and theirs[0] == ours[0] and theirs[2:] == ours[2:]:
        return for_channels(weight, ours[1]), f"{theirs[1]} input channels made {ours[1]}"
    if name.endswith("pos_embedding") and _is_grid(theirs) and _is_grid(ours) and theirs[2] == ours[2]:
        return for_patches(weight, ours), f"{theirs[1] - 1} positions made {ours[1] - 1}"
    return None


def _is_grid(positions: torch.Size) -> bool:
    return len(positions) == 3 and math.isqrt(positions[1] - 1) ** 2 == positions[1] - 1


def first_convolution_of(network: nn.Module) -> str | None:
    """The name of the weights that read the channels of an image."""
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d) and layer.groups == 1:
            return f"{name}.weight"
    return None
