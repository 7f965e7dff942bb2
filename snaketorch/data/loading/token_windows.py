"""Windows of running text."""

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor

from snaketorch.data.loading.samples import Batch


class TokenWindows:
    """Windows of a stream of tokens, with the token that follows each of theirs.

    A batch holds ``token`` and ``target`` (B, W) int64, the target one token further on, and ``scored`` (B,)
    int64: how many of the last targets count. The targets that count are each token once.
    """

    lengths = None

    def __init__(self, stream: Tensor, window: int, first: Tensor, scored: Tensor):
        """``stream`` (T,); ``first`` (N,) where each window begins, ``scored`` (N,)."""
        self.stream, self.window, self.first, self.scored = stream, window, first, scored

    @classmethod
    def for_training(cls, stream: Tensor, window: int, stride: int) -> Self:
        """A window each ``stride`` tokens, and one at the end; all its targets count.

        Windows that overlap have targets in common: each of these counts in each of them.
        """
        last = len(stream) - window - 1
        first = torch.arange(0, last + 1, stride)
        if first[-1] < last:
            first = torch.cat([first, torch.tensor([last])])
        return cls(stream, window, first, torch.full_like(first, window))

    @classmethod
    def for_scoring(cls, stream: Tensor, window: int, context: int) -> Self:
        """Windows that score each token of ``stream`` after the first ``context`` once, in order.

        A window goes half its length further than the one before and scores as many targets, so each has
        half a window or more before it. ``context`` must be at least ``window``.
        """
        step = max(1, window // 2)
        ends = torch.arange(context + step, len(stream) + step, step).clamp(max=len(stream))
        scored = ends.diff(prepend=torch.tensor([context]))
        return cls(stream, window, ends - window - 1, scored)

    def __len__(self) -> int:
        return len(self.first)

    @property
    def nbytes(self) -> int:
        return self.stream.nbytes + self.first.nbytes + self.scored.nbytes

    def batch(self, indices: Tensor) -> Batch:
        rows = indices.to(self.stream.device, non_blocking=True)
        steps = torch.arange(self.window + 1, device=self.stream.device)
        places = self.first.index_select(0, rows)[:, None] + steps
        tokens = self.stream.index_select(0, places.flatten()).unflatten(0, places.shape).long()
        return {
            "token": tokens[:, :-1],
            "target": tokens[:, 1:],
            "scored": self.scored.index_select(0, rows),
            "sample": rows,
        }

    def apply(self, function: Callable[[Tensor], Tensor]) -> Self:
        return type(self)(function(self.stream), self.window, function(self.first), function(self.scored))
