"""How the steps of a sequence are told apart where nothing else says where they are."""

import math

import torch
from torch import Tensor, nn

SMALL = 0.02
"""Standard deviation of learnt positions at the beginning: what is read counts more."""


class LearnedPositions(nn.Module):
    """A learnt vector for each place, added to states (B, T, D)."""

    def __init__(self, steps: int, features: int):
        super().__init__()
        self.steps = steps
        self.weight = nn.Parameter(SMALL * torch.randn(steps, features))

    def forward(self, states: Tensor) -> Tensor:
        # a batch is padded to a round number of steps, which may be beyond the longest sample
        places = torch.arange(states.shape[1], device=states.device).clamp(max=self.steps - 1)
        return states + self.weight[places]


class SinusoidalPositions(nn.Module):
    """Sines and cosines of wavelengths from 2 pi to 20,000 pi steps, added to states (B, T, D); for any length."""

    def __init__(self, features: int):
        super().__init__()
        rate = torch.exp(torch.arange(0, features, 2) * (-math.log(10_000) / features))
        self.register_buffer("rate", rate, persistent=False)
        self.features = features

    def forward(self, states: Tensor) -> Tensor:
        angle = torch.arange(states.shape[1], device=states.device)[:, None] * self.rate
        waves = torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)[:, : self.features]
        return states + waves.to(states.dtype)
