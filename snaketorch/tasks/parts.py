"""Batches computed in parts, one after the other, where a device has no memory for all of one at once."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from snaketorch.data.loading.samples import Batch


@dataclass(frozen=True)
class Room:
    """How many samples the memory has room for at once; None for as many as a batch has."""

    training: int | None = None
    validation: int | None = None
    least: int = 1
    """That training can do with: batch normalisation has no variance of a single sample."""


def in_parts(batch: Batch, most: int | None, least: int = 1) -> list[Batch]:
    """The samples of ``batch`` in their order, at most ``most`` in a part, and at least ``least``."""
    count = size_of(batch)
    if most is None or count <= most:
        return [batch]
    return cut(batch, min(-(-count // most), count // least))


def cut(batch: Batch, parts: int) -> list[Batch]:
    """The samples of ``batch`` in their order, evenly in so many parts; in one where that is less."""
    if parts <= 1:
        return [batch]
    fields = {name: value.tensor_split(parts) for name, value in batch.items()}
    return [dict(zip(fields, values, strict=True)) for values in zip(*fields.values(), strict=True)]


def size_of(batch: Batch) -> int:
    """Samples in a batch."""
    return len(next(iter(batch.values())))


def shares_of(parts: list[Batch], weight: Callable[[Batch], int | Tensor] = size_of) -> list[float | Tensor]:
    """What each part counts for in a mean over all of them."""
    weights = [weight(part) for part in parts]
    total = sum(weights)
    return [weight / total for weight in weights]
