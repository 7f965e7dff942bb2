"""The batches of a training and of a test, on their device."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from snaketorch.data.loading.order import Shuffle, epoch_order
from snaketorch.data.loading.read_ahead import read_ahead
from snaketorch.data.loading.samples import Batch, Samples
from snaketorch.errors import DataError


class Augmentation(Protocol):
    """Random changes of training samples, a function of (seed, epoch, sample)."""

    def fetch(self, indices: Tensor, epoch: int, count: int) -> Tensor:
        """The rows to fetch for the samples at ``indices`` (B,) of ``count``; both int64 on the CPU.

        These are (B,), or (2B,) when samples are mixed: the rows of the samples they are mixed with come last.
        """
        ...

    def __call__(self, batch: Batch, epoch: int) -> Batch:
        """B samples of the fetched rows, which ``batch["sample"]`` names, int64, on the batch's device.

        Images come out normalised by the dataset's statistics, float32. Mixed samples have ``mixed_label``
        (B,) and ``mixed_share`` (B,), the share of the sample itself.
        """
        ...


@dataclass(frozen=True)
class Shard:
    """The part of one process in a training on several."""

    rank: int = 0
    world_size: int = 1


class TrainingBatches:
    """Shuffled batches of an epoch, the order a function of (seed, epoch).

    ``position`` says how many batches of the whole training are done, so a training that goes on from
    a checkpoint sees what it would have seen. It is asked at the first batch of each iteration, not
    before: Lightning makes loaders, and iterators, before it restores its counters, and tells a sampler
    its epoch too late (pytorch-lightning issue 21938).

    On several processes a batch of ``world_size * batch_size`` samples is dealt out among them, so the
    samples of a step depend on that product alone, but for the last of an epoch, and all take as many steps.

    No process is left with a single sample at the end of an epoch, which batch normalisation cannot train on and
    which would weigh as much as a whole batch, or with none: such a rest joins the batch before it, of which some
    processes then have a sample more than others. With ``drop_last`` every rest is left out.
    """

    def __init__(
        self,
        samples: Samples,
        batch_size: int,
        seed: int,
        position: Callable[[], int],
        drop_last: bool = False,
        *,
        shuffle: Shuffle = "full",
        augmentation: Augmentation | None = None,
        reads_ahead_for: torch.device | None = None,
        shard: Shard = Shard(),
    ):
        """``reads_ahead_for``: a device that a thread brings the batches to; None where the samples are there."""
        if len(samples) < shard.world_size:
            raise DataError(f"{len(samples)} training samples are too few for {shard.world_size} processes")
        self.samples, self.seed, self.position, self.drop_last = samples, seed, position, drop_last
        self.shuffle, self.augmentation = shuffle, augmentation
        self.reads_ahead_for, self.shard = reads_ahead_for, shard
        self.step_size = batch_size * shard.world_size

    def __len__(self) -> int:
        whole, rest = divmod(len(self.samples), self.step_size)
        return max(1, whole + (rest > 0 and not self.drop_last and not self._joins(rest)))

    def __iter__(self) -> Iterator[Batch]:
        epoch, skip = divmod(self.position(), len(self))
        batches = self._fetched(epoch, skip)
        if self.reads_ahead_for is not None:
            batches = read_ahead(batches, self.reads_ahead_for)
        for batch in batches:
            yield self._seen(batch, epoch)

    def batch(self, epoch: int, number: int) -> Batch:
        """Batch ``number`` of an epoch, both from 0, as the training sees it; on the device that holds the samples."""
        return self._seen(next(self._fetched(epoch, number)), epoch)

    def _seen(self, batch: Batch, epoch: int) -> Batch:
        return self.augmentation(batch, epoch) if self.augmentation else batch

    def _fetched(self, epoch: int, skip: int) -> Iterator[Batch]:
        count, size = len(self.samples), self.step_size
        order = epoch_order(count, size, self.seed, epoch, self.shuffle, self.samples.lengths)
        rest = count % size
        for number in range(skip, len(self)):
            end = (number + 1) * size
            if number + 1 == len(self) and not self.drop_last and self._joins(rest):
                end += rest
            # dealt out, not cut: the samples of a step may be sorted by length
            indices = order[number * size : end][self.shard.rank :: self.shard.world_size]
            rows = self.augmentation.fetch(indices, epoch, count) if self.augmentation else indices
            yield self.samples.batch(rows)

    def _joins(self, rest: int) -> bool:
        """Whether ``rest`` samples leave a process with one, or with none."""
        return 0 < rest < 2 * self.shard.world_size

    # Lightning asks for these before it trusts a loader to start inside an epoch; the position itself
    # comes from Lightning's own batch counter.
    def state_dict(self) -> dict[str, int]:
        return {}

    def load_state_dict(self, state: dict[str, int]) -> None:
        return


class EvaluationBatches:
    """Every sample once, in order.

    On several processes each has a stretch of its own and no sample is met twice. All have as many batches, of
    sizes that may differ by one: metrics over all of them come from sums and counts, never from means of means.
    """

    def __init__(
        self,
        samples: Samples,
        batch_size: int,
        *,
        reads_ahead_for: torch.device | None = None,
        shard: Shard = Shard(),
    ):
        """``reads_ahead_for``: a device that a thread brings the batches to; None where the samples are there."""
        self.samples, self.batch_size, self.reads_ahead_for = samples, batch_size, reads_ahead_for
        self.first, self.end = (len(samples) * (shard.rank + i) // shard.world_size for i in (0, 1))
        self.is_shared = shard.world_size > 1
        self.longest = -(-len(samples) // shard.world_size)

    def __len__(self) -> int:
        return -(-self.longest // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        batches = self._fetched()
        return batches if self.reads_ahead_for is None else read_ahead(batches, self.reads_ahead_for)

    def _fetched(self) -> Iterator[Batch]:
        if self.is_shared:  # each evenly in as many batches as the others have
            places = [self.first + (self.end - self.first) * number // len(self) for number in range(len(self) + 1)]
        else:
            places = [*range(self.first, self.end, self.batch_size), self.end]
        for start, end in pairwise(places):
            yield self.samples.batch(torch.arange(start, end))
