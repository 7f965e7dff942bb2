import pytest
import torch

from snaketorch.data.loading.token_windows import TokenWindows


def counted(samples):
    """The targets that count, in order, with how many tokens of their window come before each."""
    batch = samples.batch(torch.arange(len(samples)))
    places = torch.arange(samples.window)
    counts = places >= samples.window - batch["scored"][:, None]
    return batch["target"][counts].tolist(), (places + 1).expand_as(counts)[counts].tolist()


@pytest.mark.parametrize("window", [2, 3, 8, 9])
@pytest.mark.parametrize("length", [1, 3, 4, 5, 8, 50, 51])
def test_every_token_after_the_context_is_scored_once_in_order(window, length):
    context = window + 1
    samples = TokenWindows.for_scoring(torch.arange(context + length), window, context)
    targets, read = counted(samples)
    assert targets == list(range(context, context + length))
    assert min(read) >= window / 2
    assert max(read) == window


@pytest.mark.parametrize("stride", [1, 3, 5, 9])
def test_training_windows_reach_every_token_but_the_first(stride):
    samples = TokenWindows.for_training(torch.arange(23), 5, stride)
    batch = samples.batch(torch.arange(len(samples)))
    assert (batch["target"] == batch["token"] + 1).all()
    assert (batch["scored"] == 5).all()
    starts = batch["token"][:, 0].tolist()
    assert starts[:-1] == list(range(0, 18, stride))[: len(starts) - 1]
    assert batch["target"].max() == 22
    if stride <= 5:
        assert set(batch["target"].flatten().tolist()) == set(range(1, 23))


def test_a_stream_that_windows_fill_exactly_has_none_twice():
    samples = TokenWindows.for_training(torch.arange(11), 5, 5)
    assert len(samples) == 2


def test_a_batch_is_of_the_kind_that_networks_read_and_moves_as_a_whole():
    samples = TokenWindows.for_scoring(torch.arange(30, dtype=torch.int32), 4, 5)
    batch = samples.apply(torch.clone).batch(torch.tensor([2, 0]))
    assert list(batch) == ["token", "target", "scored", "sample"]
    assert batch["token"].dtype == batch["target"].dtype == torch.int64
    assert batch["sample"].tolist() == [2, 0]
    assert samples.nbytes == 30 * 4 + 2 * 8 * len(samples)
