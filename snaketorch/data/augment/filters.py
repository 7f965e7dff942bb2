"""What a pixel's neighbours do to it."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

SHARP = 1e-3  # at this standard deviation a kernel is 1 at its centre and exactly 0 elsewhere


def blurred(images: Tensor, sigma: Tensor, largest: float) -> Tensor:
    """Images (B, F, H, W) blurred by a Gaussian of standard deviation ``sigma`` (B,), at most ``largest``, in pixels.

    The kernel reaches three times as far as ``largest``; the picture is mirrored at its edges.
    """
    count, frames, height, width = images.shape
    reach = min(max(1, math.ceil(3 * largest)), height - 1, width - 1)
    if reach < 1:
        return images
    place = torch.arange(-reach, reach + 1, device=images.device)
    kernel = torch.exp(-0.5 * (place / sigma.clamp(min=SHARP).unsqueeze(1)) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(frames, 0)  # (B * F, K)
    layers = F.pad(images, (reach,) * 4, mode="reflect").reshape(1, count * frames, height + 2 * reach, -1)
    layers = F.conv2d(layers, kernel[:, None, :, None], groups=count * frames)
    layers = F.conv2d(layers, kernel[:, None, None, :], groups=count * frames)
    return layers.view(count, frames, height, width)


def sharpened(images: Tensor, factor: Tensor) -> Tensor:
    """Images (B, F, H, W) between smooth (0), unchanged (1) and sharper; the outermost pixels stay, as in Pillow."""
    height, width = images.shape[-2:]
    if min(height, width) < 3:
        return images
    inner = images[..., 1:-1, 1:-1]
    around = sum(images[..., y : height - 2 + y, x : width - 2 + x] for y in range(3) for x in range(3))
    smooth = (around + 4 * inner) / 13
    result = images.clone()
    result[..., 1:-1, 1:-1] = torch.lerp(smooth, inner, factor.view(-1, 1, 1, 1))
    return result
