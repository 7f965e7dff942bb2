"""Samples that are given by the batch: no sample is ever handled alone.

``index_select`` on one contiguous array is an order of magnitude faster than collating samples.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor

from snaketorch.errors import DataError

Batch = dict[str, Tensor]

LENGTH_MULTIPLE = 8
"""Padded lengths are multiples of this, so that shapes repeat and memory and kernels are found again."""


class Samples(Protocol):
    """Something that gives samples by the batch."""

    def __len__(self) -> int: ...

    @property
    def nbytes(self) -> int:
        """Size of all samples in memory."""
        ...

    @property
    def lengths(self) -> Tensor | None:
        """Length of each sample (N,), on the CPU; None where all are alike."""
        ...

    def batch(self, indices: Tensor) -> Batch:
        """The samples at ``indices`` (B,), a tensor on the CPU, stacked along the first dimension.

        They are on the device that holds the samples; ``sample`` (B,) int64 are the indices, as the last key.
        """
        ...

    def apply(self, function: Callable[[Tensor], Tensor]) -> Self:
        """The same samples, their tensors given through ``function``, which moves them."""
        ...


def as_tensor(array: np.ndarray) -> Tensor:
    """A tensor over the memory of ``array``, which may be a read-only memory map; it is never written to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


def samples_from(arrays: Mapping[str, np.ndarray]) -> "ArraySamples | RaggedSamples":
    """The samples in the arrays of a split, see ``snaketorch.data.manifest.SplitFiles``."""
    fields = {name: as_tensor(array) for name, array in arrays.items()}
    ragged = [name for name in fields if f"{name}_start" in fields]
    if not ragged:
        return ArraySamples(fields)
    (name,) = ragged
    return RaggedSamples(name, fields.pop(name), fields.pop(f"{name}_start"), fields)


class ArraySamples:
    """Samples whose fields are rows of arrays."""

    lengths = None

    def __init__(self, fields: Mapping[str, Tensor]):
        self.fields = dict(fields)

    def __len__(self) -> int:
        return len(next(iter(self.fields.values())))

    @property
    def nbytes(self) -> int:
        return sum(field.nbytes for field in self.fields.values())

    def batch(self, indices: Tensor) -> Batch:
        rows = indices.to(next(iter(self.fields.values())).device, non_blocking=True)
        return {name: field.index_select(0, rows) for name, field in self.fields.items()} | {"sample": rows}

    def apply(self, function: Callable[[Tensor], Tensor]) -> Self:
        return type(self)({name: function(field) for name, field in self.fields.items()})


class RaggedSamples:
    """Samples of lengths of their own in one field, with rows of arrays beside it.

    A batch holds that field padded with zeros (B, L, ...) and ``length`` (B,) int64. L is the length of the
    longest sample of the batch, rounded up to a multiple of ``LENGTH_MULTIPLE``.
    """

    def __init__(self, name: str, values: Tensor, start: Tensor, fields: Mapping[str, Tensor]):
        """``values`` (total, ...) holds all samples one after the other, ``start`` (N + 1,) where each begins."""
        self.name, self.values, self.start, self.fields = name, values, start, dict(fields)
        self.lengths = start.diff().cpu()  # so that no batch waits for a device to say how long it is

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in (self.values, self.start, *self.fields.values()))

    def batch(self, indices: Tensor) -> Batch:
        longest = int(self.lengths.index_select(0, indices).max())
        steps = torch.arange(-(-longest // LENGTH_MULTIPLE) * LENGTH_MULTIPLE, device=self.values.device)
        rows = indices.to(self.values.device, non_blocking=True)
        start = self.start.index_select(0, rows)
        length = self.start.index_select(0, rows + 1) - start
        places = (start[:, None] + steps).clamp_(max=len(self.values) - 1)
        padded = self.values.index_select(0, places.flatten()).unflatten(0, places.shape)
        beyond = steps >= length[:, None]
        padded.masked_fill_(beyond.view(*beyond.shape, *[1] * (padded.ndim - 2)), 0)
        others = {name: field.index_select(0, rows) for name, field in self.fields.items()}
        return {self.name: padded, "length": length, **others, "sample": rows}

    def apply(self, function: Callable[[Tensor], Tensor]) -> Self:
        others = {name: function(field) for name, field in self.fields.items()}
        return type(self)(self.name, function(self.values), function(self.start), others)


def too_few_steps(dataset: str, split: str, steps: int, window: int, horizon: int) -> DataError:
    """What is to be said of a split from which no window can be cut."""
    return DataError(
        f"the {split} split of dataset '{dataset}' has {steps} steps, too few for a window of {window} and a horizon "
        f"of {horizon}; allowed: a shorter task.window or task.horizon, or a larger split"
    )


class WindowSamples:
    """Windows of a series, each with the steps that follow it.

    A batch holds ``window`` (B, W, C), ``target`` (B, H, C) and ``index`` (B,), the row of the first
    target step counted from the end of the context.
    """

    lengths = None

    def __init__(self, series: Tensor, window: int, horizon: int, context: int = 0, stride: int = 1):
        """``stride``: steps from one window to the next."""
        self.series, self.window, self.horizon, self.context, self.stride = series, window, horizon, context, stride
        self.views = series.unfold(0, window + horizon, stride)  # (N, C, W + H), no copy

    def __len__(self) -> int:
        return len(self.views)

    @property
    def nbytes(self) -> int:
        return self.series.nbytes

    def batch(self, indices: Tensor) -> Batch:
        rows = indices.to(self.series.device, non_blocking=True)
        steps = self.views.index_select(0, rows).transpose(1, 2)
        return {
            "window": steps[:, : self.window],
            "target": steps[:, self.window :],
            "index": rows * self.stride + (self.window - self.context),
            "sample": rows,
        }

    def apply(self, function: Callable[[Tensor], Tensor]) -> Self:
        return type(self)(function(self.series), self.window, self.horizon, self.context, self.stride)
