"""The processes that train together, and what they tell each other."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

T = TypeVar("T")


class Peers:
    """All processes of a training, as one of them sees them; alone unless told otherwise.

    Every method but the properties is for all of them at the same place of the program: each waits for the others.
    """

    def __init__(self, rank: int = 0, world_size: int = 1, copies: int = 1, in_step: bool = False):
        """``copies``: processes in a row that work on the same samples, as where they split layers.

        ``in_step``: each has a part of the weights, so that all call the network as often as the others.
        """
        self.rank, self.world_size = rank, world_size
        self.copies, self.in_step = copies, in_step

    @property
    def is_alone(self) -> bool:
        return self.world_size == 1

    @property
    def shard(self) -> int:
        """Which part of the samples this one works on."""
        return self.rank // self.copies

    @property
    def shards(self) -> int:
        """Parts that samples are dealt out in."""
        return self.world_size // self.copies

    @property
    def is_first(self) -> bool:
        """Whether this one writes files and tells what happens."""
        return self.rank == 0

    def sum(self, value: Tensor) -> Tensor:
        """Adds ``value``, in place, over all of them."""
        if not self.is_alone:
            distributed.all_reduce(value)
        return value

    def any(self, *wishes: bool) -> list[bool]:
        """What at least one of them wishes."""
        return [bool(wish) for wish in self.most(*wishes)]

    def most(self, *numbers: int) -> list[int]:
        """The largest of each number; on the host, so that no GPU is waited for."""
        if self.is_alone:
            return list(numbers)
        found = torch.tensor(numbers, dtype=torch.int64)
        distributed.all_reduce(found, distributed.ReduceOp.MAX)
        return found.tolist()

    def of_first(self, make: Callable[[], T]) -> T:
        """What the first of them makes, for all."""
        if self.is_alone:
            return make()
        made = [make() if self.is_first else None]
        distributed.broadcast_object_list(made)
        return made[0]

    def gather(self, value: Any) -> list[Any]:
        """What each has, in their order."""
        if self.is_alone:
            return [value]
        found = [None] * self.world_size
        distributed.all_gather_object(found, value)
        return found

    def rows(self, value: Tensor) -> Tensor:
        """The rows of all, one after the other in their order; as many as each has."""
        if self.is_alone:
            return value
        counts = self.gather(len(value))
        padded = value.new_zeros(max(counts), *value.shape[1:])
        padded[: len(value)] = value
        found = [torch.empty_like(padded) for _ in counts]
        distributed.all_gather(found, padded)
        return torch.cat([rows[:count] for rows, count in zip(found, counts, strict=True)])

    def at_first(self, value: Tensor) -> Tensor | None:
        """Those of all, stacked in their order, for the first of them alone; each of one shape."""
        found = [torch.empty_like(value) for _ in range(self.world_size)] if self.is_first else None
        distributed.gather(value, found)
        return torch.stack(found) if found else None

    def take_over(self, values: list[Tensor]) -> None:
        """Puts those of the first in the place of ``values``, in as few messages as there are types."""
        if self.is_alone:
            return
        for kind in dict.fromkeys(value.dtype for value in values):
            alike = [value for value in values if value.dtype == kind]
            flat = torch.cat([value.reshape(-1) for value in alike])
            distributed.broadcast(flat, 0)
            if not self.is_first:
                for value, new in zip(alike, flat.split([value.numel() for value in alike]), strict=True):
                    value.copy_(new.view_as(value))

    def wait(self) -> None:
        """Until all are here."""
        self.most(0)


ALONE = Peers()
