"""The order of an epoch, a function of (seed, epoch) and of the dataset alone.

Two kinds of shuffle. ``full``: every order is as likely as any other. ``blocks``: for samples that are
read from a disk. The rows are cut into blocks of ``BLOCK_ROWS`` neighbours, at other places in each epoch;
the blocks are shuffled, and the rows are shuffled within a window of ``WINDOW_BLOCKS`` blocks, which the
operating system keeps in memory while batches are drawn from it. So every batch is drawn from 16 random
stretches of the dataset, together 16,384 rows: a class that takes up a share p of a file sorted by class
is then met in a window with a share of p with a standard deviation of about sqrt(p (1 - p) / 16). A
dataset of at most one window is shuffled fully by either kind.
"""

from typing import Literal

import torch
from torch import Tensor

from snaketorch.data.loading.seeds import stable_seed

Shuffle = Literal["full", "blocks"]

BLOCK_ROWS = 1024
WINDOW_BLOCKS = 16
POOL_BATCHES = 50


def epoch_order(
    count: int, batch_size: int, seed: int, epoch: int, shuffle: Shuffle = "full", lengths: Tensor | None = None
) -> Tensor:
    """All numbers below ``count`` in the order of an epoch; batch k is the k-th run of ``batch_size`` of them.

    With ``lengths`` (count,) samples of similar length share a batch: pools of ``POOL_BATCHES`` batches
    are sorted by length, and their batches shuffled. The last batch, where it is smaller, is left as it was drawn:
    the longest samples of a pool would have more weight there than others.
    """
    generator = torch.Generator().manual_seed(stable_seed(seed, "order", epoch))
    order = torch.randperm(count, generator=generator)
    if shuffle == "blocks":
        order = _by_windows(order, generator)
    if lengths is not None:
        order = _by_length(order, lengths, batch_size, generator)
    return order


def _by_windows(order: Tensor, generator: torch.Generator) -> Tensor:
    first = int(torch.randint(BLOCK_ROWS, (), generator=generator))
    block = (order + first) // BLOCK_ROWS
    blocks = (len(order) - 1 + first) // BLOCK_ROWS + 1
    window = torch.randperm(blocks, generator=generator) // WINDOW_BLOCKS
    return order[window[block].argsort(stable=True)]


def _by_length(order: Tensor, lengths: Tensor, batch_size: int, generator: torch.Generator) -> Tensor:
    batches = len(order) // batch_size
    whole, rest = order[: batches * batch_size], order[batches * batch_size :]
    pool = torch.arange(len(whole)) // (POOL_BATCHES * batch_size)
    by_length = lengths[whole].argsort(stable=True)
    by_length = by_length[pool[by_length].argsort(stable=True)]
    shuffled = (
        torch.arange(batches) // POOL_BATCHES * batches + torch.randperm(batches, generator=generator)
    ).argsort()
    return torch.cat([whole[by_length].view(batches, batch_size)[shuffled].flatten(), rest])
