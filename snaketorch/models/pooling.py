"""From the states of all steps to one vector; what stands after the end of a sample has no influence."""

import torch
from torch import Tensor, nn


class Pooling(nn.Module):
    """Reads states (B, T, D) and perhaps ``length`` (B,), gives (B, D)."""

    def __init__(self, kind: str, features: int, both_ways: bool = False):
        """``both_ways``: the second half of the features comes from reading backwards, so it ends at the first step."""
        super().__init__()
        self.kind, self.both_ways = kind, both_ways
        if kind == "attention":
            self.score = nn.Linear(features, 1)

    def forward(self, states: Tensor, length: Tensor | None = None) -> Tensor:
        if self.kind == "last":
            return self._last(states, length)
        steps = torch.arange(states.shape[1], device=states.device)
        padding = None if length is None else (steps >= length[:, None])[:, :, None]
        if self.kind == "max":
            return (states if padding is None else states.masked_fill(padding, -torch.inf)).amax(1)
        if self.kind == "attention":
            score = self.score(states)
            weight = (score if padding is None else score.masked_fill(padding, -torch.inf)).softmax(1)
            # padding may hold anything, and infinity times nothing is not a number
            return (weight * (states if padding is None else states.masked_fill(padding, 0))).sum(1)
        return states.mean(1) if padding is None else states.masked_fill(padding, 0).sum(1) / length[:, None]

    def _last(self, states: Tensor, length: Tensor | None) -> Tensor:
        rows = torch.arange(len(states), device=states.device)
        last = states[:, -1] if length is None else states[rows, length - 1]
        if not self.both_ways:
            return last
        forwards = states.shape[2] // 2
        return torch.cat([last[:, :forwards], states[:, 0, forwards:]], dim=1)
