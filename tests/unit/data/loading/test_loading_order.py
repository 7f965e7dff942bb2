import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snaketorch.data.loading import order as orders
from snaketorch.data.loading.order import BLOCK_ROWS, WINDOW_BLOCKS, epoch_order
from snaketorch.data.loading.seeds import stable_seed


@given(st.integers(1, 300), st.integers(1, 20), st.sampled_from(["full", "blocks"]), st.booleans())
@settings(max_examples=60)
def test_an_order_holds_every_sample_once(count, batch_size, shuffle, ragged):
    lengths = torch.randint(1, 90, (count,)) if ragged else None
    assert epoch_order(count, batch_size, 3, 1, shuffle, lengths).sort().values.tolist() == list(range(count))


def test_epochs_and_seeds_differ_in_their_order():
    for shuffle in ("full", "blocks"):
        first = epoch_order(100, 10, 0, 0, shuffle)
        assert torch.equal(first, epoch_order(100, 10, 0, 0, shuffle))
        assert not torch.equal(first, epoch_order(100, 10, 0, 1, shuffle))
        assert not torch.equal(first, epoch_order(100, 10, 1, 0, shuffle))


def test_blocks_are_read_from_a_window_of_few_stretches():
    order = epoch_order(200 * BLOCK_ROWS, 64, 0, 0, "blocks")
    window = order[: (WINDOW_BLOCKS - 1) * BLOCK_ROWS]  # a block at an end of the file may be smaller
    stretches = 1 + (window.sort().values.diff() > 1).sum()
    assert stretches <= WINDOW_BLOCKS + len(window) // 10  # rows of the window's last block are spread over it
    touched = torch.unique(window // BLOCK_ROWS)
    assert len(touched) <= 2 * WINDOW_BLOCKS  # each stretch meets two of the file's own blocks
    batch = order[:64]
    assert len(torch.unique(batch // BLOCK_ROWS)) > WINDOW_BLOCKS // 2  # but no batch is one stretch


def test_blocks_begin_elsewhere_in_each_epoch_so_that_neighbours_part():
    count = 64 * BLOCK_ROWS
    windows = []
    for epoch in range(12):
        place = epoch_order(count, 64, 0, epoch, "blocks").argsort() // (WINDOW_BLOCKS * BLOCK_ROWS)
        windows.append(place[: BLOCK_ROWS + 1])
    together = torch.stack([window[:-1] == window[1:] for window in windows]).all(0)
    assert len({int((window[:-1] != window[1:]).int().argmax()) for window in windows}) > 3
    assert not together.all()


def test_a_window_of_a_sorted_dataset_holds_its_classes_in_their_shares():
    count = 400 * BLOCK_ROWS
    order = epoch_order(count, 64, 0, 0, "blocks")
    share = (order < 0.3 * count).float().unfold(0, WINDOW_BLOCKS * BLOCK_ROWS, WINDOW_BLOCKS * BLOCK_ROWS).mean(1)
    assert share.std() < 1.5 * (0.3 * 0.7 / WINDOW_BLOCKS) ** 0.5
    assert abs(share.mean() - 0.3) < 0.02


def padded_share(order, lengths, batch_size):
    batches = lengths[order].split(batch_size)
    return sum(int(batch.max()) * len(batch) for batch in batches) / int(lengths.sum())


def test_buckets_spare_most_of_the_padding():
    # lengths of texts: many short ones, few long ones
    lengths = torch.from_numpy(np.random.default_rng(0).lognormal(4.5, 0.7, 20_000).clip(4, 1000).astype(np.int64))
    without, bucketed = (
        padded_share(epoch_order(20_000, 32, 0, 0, lengths=given), lengths, 32) for given in (None, lengths)
    )
    assert without > 2.5
    assert bucketed < 1.15


def test_buckets_shuffle_their_batches_and_leave_the_last_one_as_drawn():
    lengths = torch.arange(1, 1004)
    order = epoch_order(1003, 10, 0, 0, lengths=lengths)
    longest = torch.stack([lengths[batch].max() for batch in order[:1000].split(10)])
    assert not torch.equal(longest, longest.sort().values)
    rest = lengths[order[1000:]]
    assert torch.equal(order[1000:], epoch_order(1003, 10, 0, 0)[1000:])
    assert rest.max() - rest.min() > 20


def test_pools_are_far_smaller_than_the_dataset():
    lengths = torch.arange(10_000)
    batches = epoch_order(10_000, 10, 0, 0, lengths=lengths).view(-1, 10)
    pool = lengths[batches[: orders.POOL_BATCHES]].float()
    assert abs(pool.mean() - 5000) < 500


def test_a_seed_depends_on_all_its_parts_and_is_the_same_everywhere():
    assert stable_seed(0, "order", 1) == 3286871379868953
    assert len({stable_seed(0, "order", 1), stable_seed(0, "step", 1), stable_seed(1, "order", 1)}) == 3
