"""Whole batches by index: no sample is ever handled alone.

``index_select`` on one contiguous array is an order of magnitude faster than collating samples.
"""

import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

Batch = dict[str, Tensor]


class Samples(Protocol):
    """Something that gives samples by the batch."""

    def __len__(self) -> int: ...

    def batch(self, indices: Tensor) -> Batch:
        """The samples at ``indices`` (B,), stacked along the first dimension, on the device that holds them."""
        ...

    def to(self, device: torch.device) -> "Samples":
        """The same samples held by ``device``."""
        ...


def as_tensor(array: np.ndarray) -> Tensor:
    """A tensor over the memory of ``array``, which may be a read-only memory map; it is never written to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


class ArraySamples:
    """Samples whose fields are rows of arrays."""

    def __init__(self, fields: Mapping[str, Tensor]):
        self.fields = dict(fields)

    def __len__(self) -> int:
        return len(next(iter(self.fields.values())))

    def batch(self, indices: Tensor) -> Batch:
        return {name: field.index_select(0, indices.to(field.device)) for name, field in self.fields.items()}

    def to(self, device: torch.device) -> "ArraySamples":
        return ArraySamples({name: field.to(device) for name, field in self.fields.items()})


class WindowSamples:
    """Every window of a series with the steps that follow it.

    A batch holds ``window`` (B, W, C), ``target`` (B, H, C) and ``index`` (B,), the row of the first
    target step counted from the end of the context.
    """

    def __init__(self, series: Tensor, window: int, horizon: int, context: int = 0):
        self.series, self.window, self.horizon, self.context = series, window, horizon, context
        self.views = series.unfold(0, window + horizon, 1)  # (N, C, W + H), no copy

    def __len__(self) -> int:
        return len(self.views)

    def batch(self, indices: Tensor) -> Batch:
        indices = indices.to(self.series.device)
        steps = self.views.index_select(0, indices).transpose(1, 2)
        return {
            "window": steps[:, : self.window],
            "target": steps[:, self.window :],
            "index": indices + (self.window - self.context),
        }

    def to(self, device: torch.device) -> "WindowSamples":
        return WindowSamples(self.series.to(device), self.window, self.horizon, self.context)


def stable_seed(*parts: object) -> int:
    """A seed below 2**56 that depends on ``parts`` alone, on every machine and in every process."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=7).digest(), "little")


class TrainingBatches:
    """Shuffled batches of an epoch, the order a function of (seed, epoch).

    ``position`` says how many batches of the whole training are done, so a training that goes on from
    a checkpoint sees what it would have seen. It is asked at the first batch of each iteration, not
    before: Lightning makes loaders, and iterators, before it restores its counters, and tells a sampler
    its epoch too late (pytorch-lightning issue 21938).
    """

    def __init__(
        self, samples: Samples, batch_size: int, seed: int, position: Callable[[], int], drop_last: bool = False
    ):
        self.samples, self.batch_size, self.seed = samples, batch_size, seed
        self.position, self.drop_last = position, drop_last

    def __len__(self) -> int:
        whole, rest = divmod(len(self.samples), self.batch_size)
        return max(1, whole + (rest > 0 and not self.drop_last))

    def __iter__(self) -> Iterator[Batch]:
        epoch, skip = divmod(self.position(), len(self))
        generator = torch.Generator().manual_seed(stable_seed(self.seed, "order", epoch))
        order = torch.randperm(len(self.samples), generator=generator)
        for number in range(skip, len(self)):
            yield self.samples.batch(order[number * self.batch_size : (number + 1) * self.batch_size])

    # Lightning asks for these before it trusts a loader to start inside an epoch; the position itself
    # comes from Lightning's own batch counter.
    def state_dict(self) -> dict[str, int]:
        return {}

    def load_state_dict(self, state: dict[str, int]) -> None:
        return


class EvaluationBatches:
    """Every sample once, in order."""

    def __init__(self, samples: Samples, batch_size: int):
        self.samples, self.batch_size = samples, batch_size

    def __len__(self) -> int:
        return -(-len(self.samples) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        for start in range(0, len(self.samples), self.batch_size):
            yield self.samples.batch(torch.arange(start, min(start + self.batch_size, len(self.samples))))
