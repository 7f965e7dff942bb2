"""What a pixel's neighbours do to it."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

_SHARP = 1e-3  # at this standard deviation a kernel is 1 at its centre and exactly 0 elsewhere
_SMALL = 48  # up to this side a product with a matrix beats a convolution on a CPU: 3 times at 32 pixels


def blurred(images: Tensor, sigma: Tensor, largest: float) -> Tensor:
    """Images (B, F, H, W) blurred by a Gaussian of standard deviation ``sigma`` (B,), at most ``largest``, in pixels.

    The kernel reaches three times as far as ``largest``; the picture is mirrored at its edges.
    """
    height, width = images.shape[2:]
    reach = min(max(1, math.ceil(3 * largest)), height - 1, width - 1)
    if reach < 1:
        return images
    place = torch.arange(-reach, reach + 1, device=images.device)
    kernel = torch.exp(-0.5 * (place / sigma.clamp(min=_SHARP).unsqueeze(1)) ** 2)
    kernel = kernel / kernel.sum(1, keepdim=True)  # (B, K)
    if max(height, width) > _SMALL or images.device.type != "cpu":
        return _convolved(images, kernel, reach)
    rows, columns = (_banded(kernel, reach, size) for size in (height, width))
    across = torch.bmm(images.flatten(1, 2), columns.mT).view(images.shape)
    return rows.unsqueeze(1) @ across


def _convolved(images: Tensor, kernel: Tensor, reach: int) -> Tensor:
    # each layer has its own kernel: of such convolutions a GPU keeps all bits, where it rounds products of matrices,
    # and convolutions of a single layer, to TF32
    if images.device.type != "cpu" and images.shape[:2].numel() == 1:
        return _convolved(images.expand(2, -1, -1, -1), kernel.expand(2, -1), reach)[:1]
    kernel = kernel.repeat_interleave(images.shape[1], 0)  # (B * F, K)
    layers = F.pad(images, (reach,) * 4, mode="reflect").flatten(0, 1).unsqueeze(0)
    layers = F.conv2d(layers, kernel[:, None, :, None], groups=len(kernel))
    layers = F.conv2d(layers, kernel[:, None, None, :], groups=len(kernel))
    return layers.view(images.shape)


def _banded(kernel: Tensor, reach: int, size: int) -> Tensor:
    """(B, size, size): the product with it blurs a line of ``size`` pixels, mirrored at its ends."""
    pixel = torch.arange(size, device=kernel.device)
    source = (pixel + torch.arange(-reach, reach + 1, device=kernel.device).unsqueeze(1)).abs()
    source = torch.minimum(source, 2 * (size - 1) - source)  # (K, size)
    reached = (source.unsqueeze(2) == pixel).to(kernel.dtype)  # (K, size, size)
    return (kernel @ reached.flatten(1)).view(-1, size, size)


def sharpened(images: Tensor, factor: Tensor) -> Tensor:
    """Images (B, F, H, W) between smooth (0), unchanged (1) and sharper; the outermost pixels stay, as in Pillow."""
    if min(images.shape[2:]) < 3:
        return images
    inner = images[..., 1:-1, 1:-1]
    three = (images[..., :-2, :] + images[..., 1:-1, :]).add_(images[..., 2:, :])
    nine = (three[..., :-2] + three[..., 1:-1]).add_(three[..., 2:])
    smooth = nine.add_(inner, alpha=4).div_(13)
    result = images.clone()
    result[..., 1:-1, 1:-1] = torch.lerp(smooth, inner, factor.view(-1, 1, 1, 1))
    return result
