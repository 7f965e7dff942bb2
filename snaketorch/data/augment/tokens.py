"""Texts as tokens."""

import torch
from torch import Tensor

from snaketorch.config.augment import Augment
from snaketorch.data.augment.draws import Draws, bits_at, uniform
from snaketorch.data.loading.samples import Batch


class TokenAugmentation:
    """Tokens (B, L), padded where a batch has ``length`` (B,): some become unknown, then some are left out."""

    def __init__(self, options: Augment, field: dict, seed: int):
        self.options, self.padding, self.unknown = options, field["padding"], field["unknown"]
        self.draws = Draws(seed)

    def fetch(self, indices: Tensor, epoch: int, count: int) -> Tensor:
        return indices

    def __call__(self, batch: Batch, epoch: int) -> Batch:
        token = batch["token"]
        size = token.shape[1]
        states = self.draws.states(batch["sample"], epoch)
        length = batch["length"] if "length" in batch else torch.full_like(batch["sample"], size)
        real = torch.arange(size, device=token.device) < length.unsqueeze(1)
        if self.options.token_mask:
            masked = uniform(bits_at(states, "token_mask", size)) < self.options.token_mask
            token = torch.where(masked & real, self.unknown, token)
        if self.options.token_dropout:
            luck = torch.where(real, uniform(bits_at(states, "token_dropout", size)), -1.0)
            luckiest = torch.arange(size, device=token.device) == luck.argmax(1, keepdim=True)
            token, length = self._closed_up(token, real & ((luck >= self.options.token_dropout) | luckiest))
        return {**batch, "token": token, **({"length": length} if "length" in batch else {})}

    def _closed_up(self, token: Tensor, keep: Tensor) -> tuple[Tensor, Tensor]:
        """The tokens to ``keep`` moved together, and how many there are; the others go to a column that is cut off."""
        size = token.shape[1]
        place = torch.where(keep, keep.cumsum(1) - 1, size)
        together = torch.full_like(token[:, :1], self.padding).repeat(1, size + 1).scatter(1, place, token)
        return together[:, :size], keep.sum(1)
