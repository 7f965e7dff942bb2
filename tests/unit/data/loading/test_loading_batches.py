import gc
import threading
from collections.abc import Iterator
from itertools import islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snaketorch.data.loading.batches import EvaluationBatches, Shard, TrainingBatches
from snaketorch.data.loading.samples import ArraySamples, RaggedSamples
from snaketorch.errors import DataError

CPU = torch.device("cpu")


def samples(count: int) -> ArraySamples:
    return ArraySamples({"index": torch.arange(count), "value": torch.arange(count) * 10})


def ragged(count: int) -> RaggedSamples:
    lengths = torch.arange(count) * 7 % 13 + 1
    start = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])
    index = torch.arange(count)
    return RaggedSamples("value", index.repeat_interleave(lengths), start, {"index": index})


def training(count: int, size: int, seed: int, done: int = 0, **options) -> Iterator[list[int]]:
    """The indices of batch after batch, as a training that starts at batch ``done`` sees them."""
    position = [done]
    batches = TrainingBatches(samples(count), size, seed, lambda: position[0], **options)
    while True:
        for batch in batches:
            assert torch.equal(batch["value"], batch["index"] * 10)
            assert torch.equal(batch["sample"], batch["index"])
            yield batch["index"].tolist()
            position[0] += 1


def one_epoch(data, size, **options) -> list[list[int]]:
    return [batch["index"].tolist() for batch in TrainingBatches(data, size, 3, lambda: 0, **options)]


def reading_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


class Mixing:
    """Mixes each sample with its neighbour, and says which epoch it was."""

    def fetch(self, indices, epoch, count):
        return torch.cat([indices, (indices + 1) % count])

    def __call__(self, batch, epoch):
        own, other = batch["value"].chunk(2)
        return {"value": own + other, "epoch": epoch, "sample": batch["sample"].chunk(2)[0]}


@pytest.mark.parametrize("augmentation", [None, Mixing()])
def test_any_batch_of_any_epoch_can_be_asked_for(augmentation):
    position = [0]
    batches = TrainingBatches(samples(23), 5, 3, lambda: position[0], augmentation=augmentation)
    for epoch in range(2):
        position[0] = epoch * len(batches)
        for number, batch in enumerate(batches):
            assert str(batches.batch(epoch, number)) == str(batch)


@given(st.integers(1, 50), st.integers(1, 20), st.integers(0, 2**31))
@settings(max_examples=50)
def test_every_epoch_holds_every_sample_once(count, size, seed):
    batches = len(TrainingBatches(samples(count), size, seed, lambda: 0))
    seen = list(islice(training(count, size, seed), 2 * batches))
    for half in (seen[:batches], seen[batches:]):
        assert sorted(index for batch in half for index in batch) == list(range(count))


@given(st.integers(2, 40), st.integers(1, 10), st.integers(0, 100), st.booleans(), st.sampled_from(["full", "blocks"]))
@settings(max_examples=100)
def test_a_training_that_goes_on_sees_what_it_would_have_seen(count, size, done, drop_last, shuffle):
    options = {"drop_last": drop_last, "shuffle": shuffle}
    straight = list(islice(training(count, size, 3, 0, **options), done + 2 * count))
    resumed = list(islice(training(count, size, 3, done, **options), 2 * count))
    assert resumed == straight[done:]


def test_a_loader_made_before_its_position_is_known_starts_at_it():
    position = [0]
    loaders = [
        TrainingBatches(samples(20), 5, 0, lambda: position[0], reads_ahead_for=device) for device in (None, CPU)
    ]
    early = [iter(loader) for loader in loaders]  # Lightning does this
    position[0] = 6
    for batches in early:
        assert next(batches)["index"].tolist() == next(training(20, 5, 0, done=6))


def test_drop_last_leaves_out_the_small_batch_but_never_everything():
    assert [len(batch) for batch in islice(training(25, 10, 0, drop_last=True), 4)] == [10, 10, 10, 10]
    assert [len(batch) for batch in islice(training(5, 10, 0, drop_last=True), 2)] == [5, 5]


@pytest.mark.parametrize(("count", "sizes"), [(21, [10, 11]), (22, [10, 10, 2]), (11, [11]), (1, [1]), (20, [10, 10])])
def test_a_lone_sample_joins_the_batch_before_it(count, sizes):
    for data in (samples(count), ragged(count)):
        batches = one_epoch(data, 10)
        assert [len(batch) for batch in batches] == sizes
        assert sorted(index for batch in batches for index in batch) == list(range(count))


def test_a_lone_sample_is_left_out_with_drop_last_and_stays_alone_in_batches_of_one():
    assert [len(batch) for batch in one_epoch(samples(21), 10, drop_last=True)] == [10, 10]
    assert [len(batch) for batch in one_epoch(samples(3), 1)] == [1, 1, 1]


def test_no_process_is_left_with_a_lone_sample():
    shards = [one_epoch(samples(29), 4, shard=Shard(rank, 3)) for rank in range(3)]  # 2 steps of 12, 5 are left
    assert [[len(batch) for batch in batches] for batches in shards] == [[4, 6], [4, 6], [4, 5]]
    assert sorted(index for batches in shards for batch in batches for index in batch) == list(range(29))


def test_buckets_neither_lose_samples_nor_change_the_number_of_batches():
    batches = one_epoch(ragged(103), 10)
    assert [len(batch) for batch in batches] == [10] * 10 + [3]
    assert sorted(index for batch in batches for index in batch) == list(range(103))


def test_augmentation_gets_the_rows_it_asks_for_and_the_epoch_of_the_position():
    batches = TrainingBatches(samples(10), 4, 0, lambda: 7, augmentation=Mixing())  # 3 batches an epoch
    seen = list(batches)
    assert [batch["epoch"] for batch in seen] == [2, 2]
    own = [index for batch in islice(training(10, 4, 0, done=7), 2) for index in batch]
    assert [int(value) for batch in seen for value in batch["value"]] == [10 * i + 10 * ((i + 1) % 10) for i in own]


@pytest.mark.parametrize("data", [samples(104), ragged(104)], ids=["equal", "ragged"])
@pytest.mark.parametrize("world_size", [1, 2, 3, 4])
def test_processes_share_an_epoch_in_equal_numbers_of_steps(data, world_size):
    shards = [one_epoch(data, 12 // world_size, shard=Shard(rank, world_size)) for rank in range(world_size)]
    steps = {len(batches) for batches in shards}
    assert steps == {9}
    assert sorted(index for batches in shards for batch in batches for index in batch) == list(range(104))
    together = [sorted(index for batches in shards for index in batches[step]) for step in range(9)]
    assert together == [sorted(batch) for batch in one_epoch(data, 12)]  # however many processes there are


@given(st.integers(1, 60), st.integers(1, 7), st.integers(1, 5), st.sampled_from([samples, ragged]))
@settings(max_examples=100)
def test_processes_meet_every_sample_once_in_as_many_steps(more, size, world_size, data):
    data, world = data(world_size + more - 1), range(world_size)
    shards = [one_epoch(data, size, shard=Shard(rank, world_size)) for rank in world]
    assert sorted(index for batches in shards for batch in batches for index in batch) == list(range(len(data)))
    assert len({len(batches) for batches in shards}) == 1
    for step in zip(*shards, strict=True):
        counts = [len(batch) for batch in step]
        assert max(counts) - min(counts) <= 1
        assert min(counts) >= min(2, size, len(data) // world_size)


def test_more_processes_than_samples_are_refused():
    with pytest.raises(DataError, match="3 training samples are too few for 4 processes"):
        one_epoch(samples(3), 2, shard=Shard(0, 4))


@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 5))
def test_evaluation_takes_every_sample_once_and_in_order(count, size, world_size):
    parts = [EvaluationBatches(samples(count), size, shard=Shard(rank, world_size)) for rank in range(world_size)]
    seen = [[batch["index"].tolist() for batch in part] for part in parts]
    assert [index for part in seen for batch in part for index in batch] == list(range(count))
    assert [len(part) for part in parts] == [len(part) for part in seen]
    assert max(map(len, seen)) - min(map(len, seen)) <= 1


def test_a_thread_that_reads_ahead_gives_the_same_batches_and_ends():
    assert one_epoch(samples(50), 4, reads_ahead_for=CPU) == one_epoch(samples(50), 4)
    ahead = [batch["index"].tolist() for batch in EvaluationBatches(samples(5), 2, reads_ahead_for=CPU)]
    assert ahead == [[0, 1], [2, 3], [4]]
    assert not reading_threads()


def test_a_dropped_iterator_ends_its_thread():
    batches = iter(TrainingBatches(samples(1000), 2, 0, lambda: 0, reads_ahead_for=CPU))
    next(batches)
    assert len(reading_threads()) == 1
    del batches
    gc.collect()
    assert not reading_threads()


def test_an_error_of_the_thread_reaches_the_training():
    class Torn(ArraySamples):
        def batch(self, indices):
            if 7 in indices:
                raise OSError("the disk is gone")
            return super().batch(indices)

    for options in ({}, {"reads_ahead_for": CPU}):
        with pytest.raises(OSError, match="the disk is gone"):
            list(TrainingBatches(Torn(samples(20).fields), 4, 0, lambda: 0, **options))
    assert not reading_threads()


def test_no_thread_works_for_samples_that_are_on_the_device():
    batches = iter(TrainingBatches(samples(100), 2, 0, lambda: 0))
    next(batches)
    assert not reading_threads()
