"""Dropout whose probability is a tensor, so that each row may have its own."""

import torch
from torch import Tensor, nn

PROBABILITY = "probability"


class RowDropout(nn.Module):
    """Drops values as ``nn.Dropout`` does.

    What it draws does not depend on the probability, and rows side by side have the same draws: a trial comes to the
    same whichever others are trained with it, as trainings by themselves that share a seed do.
    """

    def __init__(self, probability: float):
        super().__init__()
        self.register_buffer(PROBABILITY, torch.tensor(probability, dtype=torch.float32))

    def forward(self, values: Tensor) -> Tensor:
        if not self.training:
            return values
        kept = 1 - self.probability
        is_kept = torch.rand(values.shape, device=values.device) < kept
        return values * (is_kept / kept.clamp(min=torch.finfo(torch.float32).tiny))


def with_row_dropout(network: nn.Module) -> None:
    """Puts ``RowDropout`` in the place of each plain dropout of ``network``."""
    for parent in [*network.modules()]:
        for name, layer in [*parent.named_children()]:
            if type(layer) is nn.Dropout:
                setattr(parent, name, RowDropout(layer.p))
