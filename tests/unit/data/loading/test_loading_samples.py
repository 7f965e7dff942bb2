import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from snaketorch.data.loading.samples import LENGTH_MULTIPLE, ArraySamples, RaggedSamples, WindowSamples, samples_from


@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 12), st.integers(1, 3), st.integers(1, 5))
def test_windows_are_followed_by_their_targets(window, horizon, extra, channels, stride):
    series = torch.arange((window + horizon + extra) * channels).float().view(-1, channels)
    windows = WindowSamples(series, window, horizon, stride=stride)
    assert len(windows) == extra // stride + 1
    batch = windows.batch(torch.arange(len(windows)))
    for number, first in enumerate(range(0, extra + 1, stride)):
        assert torch.equal(batch["window"][number], series[first : first + window])
        assert torch.equal(batch["target"][number], series[first + window : first + window + horizon])
        assert batch["index"][number] == first + window
        assert batch["sample"][number] == number


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.randoms())
def test_ragged_samples_are_padded_with_zeros_and_say_their_length(lengths, random):
    sequences = [np.full((length, 2), number + 1, np.float32) for number, length in enumerate(lengths)]
    arrays = {
        "value": np.concatenate(sequences),
        "value_start": np.cumsum([0, *lengths]),
        "label": np.arange(len(lengths)),
    }
    samples = samples_from(arrays)
    chosen = [random.randrange(len(lengths)) for _ in range(5)]
    batch = samples.batch(torch.tensor(chosen))
    longest = max(lengths[i] for i in chosen)
    assert batch["length"].tolist() == [lengths[i] for i in chosen]
    assert batch["label"].tolist() == batch["sample"].tolist() == chosen
    assert longest <= batch["value"].shape[1] < longest + LENGTH_MULTIPLE
    assert batch["value"].shape[1] % LENGTH_MULTIPLE == 0
    for row, number in zip(batch["value"].numpy(), chosen, strict=True):
        np.testing.assert_array_equal(row[: lengths[number]], sequences[number])
        assert not row[lengths[number] :].any()


def test_moved_samples_give_the_same_batches(tmp_path):
    np.save(tmp_path / "value.npy", np.arange(20, dtype=np.int32))
    mapped = np.load(tmp_path / "value.npy", mmap_mode="r")
    start = np.array([0, 3, 4, 20])
    for samples in (
        samples_from({"value": mapped}),
        samples_from({"value": mapped, "value_start": start, "label": np.arange(3)}),
        WindowSamples(torch.from_numpy(np.array(mapped)).view(-1, 1), 3, 2, 1, 2),
    ):
        copied = samples.apply(torch.Tensor.clone)
        assert len(copied) == len(samples)
        assert copied.nbytes == samples.nbytes >= 80
        indices = torch.tensor([2, 0])
        there, here = samples.batch(indices), copied.batch(indices)
        assert list(there) == list(here)
        assert all(torch.equal(there[name], here[name]) for name in there)


def test_arrays_decide_on_the_kind_of_samples():
    assert isinstance(samples_from({"image": np.zeros((2, 1)), "label": np.zeros(2)}), ArraySamples)
    assert isinstance(samples_from({"token": np.zeros(5), "token_start": np.array([0, 2, 5])}), RaggedSamples)
