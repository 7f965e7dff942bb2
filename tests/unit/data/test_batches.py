from collections.abc import Iterator
from itertools import islice

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snaketorch.data.batches import ArraySamples, EvaluationBatches, TrainingBatches, WindowSamples, stable_seed


def samples(count: int) -> ArraySamples:
    return ArraySamples({"index": torch.arange(count), "value": torch.arange(count) * 10})


def training(count: int, size: int, seed: int, done: int = 0, drop_last: bool = False) -> Iterator[list[int]]:
    """The indices of batch after batch, as a training that starts at batch ``done`` sees them."""
    position = [done]
    batches = TrainingBatches(samples(count), size, seed, lambda: position[0], drop_last)
    while True:
        for batch in batches:
            assert torch.equal(batch["value"], batch["index"] * 10)
            yield batch["index"].tolist()
            position[0] += 1


def epoch(seed: int, number: int = 0) -> list[int]:
    return [index for batch in islice(training(100, 10, seed, done=10 * number), 10) for index in batch]


@given(st.integers(1, 50), st.integers(1, 20), st.integers(0, 2**31))
@settings(max_examples=50, deadline=None)
def test_every_epoch_holds_every_sample_once(count, size, seed):
    batches = -(-count // size)
    seen = list(islice(training(count, size, seed), 2 * batches))
    for half in (seen[:batches], seen[batches:]):
        assert sorted(index for batch in half for index in batch) == list(range(count))


@given(st.integers(2, 40), st.integers(1, 10), st.integers(0, 100), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_training_that_goes_on_sees_what_it_would_have_seen(count, size, done, drop_last):
    straight = list(islice(training(count, size, 3, 0, drop_last), done + 2 * count))
    resumed = list(islice(training(count, size, 3, done, drop_last), 2 * count))
    assert resumed == straight[done:]


def test_a_loader_made_before_its_position_is_known_starts_at_it():
    position = [0]
    batches = TrainingBatches(samples(20), 5, 0, lambda: position[0])
    early = iter(batches)  # Lightning does this
    position[0] = 6
    assert next(early)["index"].tolist() == next(training(20, 5, 0, done=6))


def test_epochs_and_seeds_differ_in_their_order():
    assert epoch(0) == epoch(0)
    assert epoch(0) != epoch(0, number=1)
    assert epoch(0) != epoch(1)


def test_drop_last_leaves_out_the_small_batch_but_never_everything():
    assert [len(batch) for batch in islice(training(25, 10, 0, drop_last=True), 4)] == [10, 10, 10, 10]
    assert [len(batch) for batch in islice(training(5, 10, 0, drop_last=True), 2)] == [5, 5]


def test_evaluation_takes_every_sample_in_order():
    assert [batch["index"].tolist() for batch in EvaluationBatches(samples(5), 2)] == [[0, 1], [2, 3], [4]]


@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 12), st.integers(1, 3))
def test_windows_are_followed_by_their_targets(window, horizon, extra, channels):
    series = torch.arange((window + horizon + extra) * channels).float().view(-1, channels)
    windows = WindowSamples(series, window, horizon)
    assert len(windows) == extra + 1
    batch = windows.batch(torch.tensor([0, extra]))
    assert torch.equal(batch["window"][1], series[extra : extra + window])
    assert torch.equal(batch["target"][1], series[extra + window : extra + window + horizon])
    assert batch["index"].tolist() == [window, extra + window]


def test_a_seed_depends_on_all_its_parts_and_is_the_same_everywhere():
    assert stable_seed(0, "order", 1) == 3286871379868953
    assert len({stable_seed(0, "order", 1), stable_seed(0, "step", 1), stable_seed(1, "order", 1)}) == 3
