"""What a generator and its discriminator play for, as losses of scores (B,): the higher, the more real."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class Game(NamedTuple):
    """The two losses of one game, each a mean over the batch."""

    discriminator: Callable[[Tensor, Tensor, float], Tensor]
    """Of the scores of real and of generated images, and the target of real ones where the game has targets."""
    generator: Callable[[Tensor], Tensor]
    """Of the scores of generated images."""


def _cross_entropy(score: Tensor, target: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(score, torch.full_like(score, target))


def _half_square(score: Tensor, target: float) -> Tensor:
    return 0.5 * (score - target).square().mean()


GAMES = {
    "non_saturating": Game(
        lambda real, fake, target: _cross_entropy(real, target) + _cross_entropy(fake, 0.0),
        lambda fake: _cross_entropy(fake, 1.0),
    ),
    "least_squares": Game(
        lambda real, fake, target: _half_square(real, target) + _half_square(fake, 0.0),
        lambda fake: _half_square(fake, 1.0),
    ),
    "hinge": Game(
        lambda real, fake, target: F.relu(1 - real).mean() + F.relu(1 + fake).mean(),
        lambda fake: -fake.mean(),
    ),
    "wasserstein_gp": Game(
        lambda real, fake, target: fake.mean() - real.mean(),
        lambda fake: -fake.mean(),
    ),
}


def gradient_penalty(score: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """How far the gradient of ``score`` is from length 1 between real and generated images, squared.

    Args:
        score: The discriminator.
        real: Images (B, C, H, W).
        fake: As many generated ones, without a graph.

    Returns:
        A mean over random points on the lines between them; it can be differentiated.
    """
    share = torch.rand(len(real), 1, 1, 1, device=real.device, dtype=real.dtype)
    between = (share * real + (1 - share) * fake).requires_grad_()
    # gradients of gradients lose too much in a reduced precision
    with torch.autocast(real.device.type, enabled=False):
        (gradient,) = torch.autograd.grad(score(between).sum(), between, create_graph=True)
        return (gradient.flatten(1).norm(dim=1) - 1).square().mean()
