"""Batches on a GPU are those on a CPU, wherever the samples lie."""

import numpy as np
import pytest
import torch

from snaketorch.config.trainer import DataLoader
from snaketorch.data.loading.batches import EvaluationBatches, TrainingBatches
from snaketorch.data.loading.placement import choose_placement
from snaketorch.data.loading.read_ahead import read_ahead
from snaketorch.data.loading.samples import ArraySamples, RaggedSamples, Samples, WindowSamples, samples_from

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")]

CUDA = torch.device("cuda")


def arrays(folder) -> ArraySamples:
    for name, array in {
        "image": np.arange(3000 * 48, dtype=np.int32).reshape(3000, 48),
        "label": np.arange(3000),
    }.items():
        np.save(folder / f"{name}.npy", array)
    return samples_from({name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("image", "label")})


def ragged(folder) -> RaggedSamples:
    lengths = np.arange(500) * 7 % 13 + 1
    start = np.concatenate([[0], lengths.cumsum()])
    return samples_from({"token": np.arange(start[-1]), "token_start": start, "label": np.arange(500)})


def windows(folder) -> WindowSamples:
    return WindowSamples(torch.randn(400, 2, generator=torch.Generator().manual_seed(0)), 12, 3, stride=2)


@pytest.mark.parametrize("place", ["device", "host", "memory_map"])
@pytest.mark.parametrize("make", [arrays, ragged, windows])
def test_every_placement_gives_the_batches_of_a_cpu_in_their_order(tmp_path, make, place):
    samples: Samples = make(tmp_path)
    placement = choose_placement(DataLoader(placement=place), [samples], CUDA, "full")
    placed, reads = placement.place(samples, CUDA), placement.reads_ahead_for(CUDA)
    pairs = [
        (TrainingBatches(samples, 64, 1, lambda: 0), TrainingBatches(placed, 64, 1, lambda: 0, reads_ahead_for=reads)),
        (EvaluationBatches(samples, 64), EvaluationBatches(placed, 64, reads_ahead_for=reads)),
    ]
    for on_cpu, on_gpu in pairs:
        for expected, found in zip(on_cpu, on_gpu, strict=True):
            assert list(found) == list(expected)
            assert {value.device.type for value in found.values()} == {"cuda"}
            assert all(torch.equal(found[name].cpu(), value) for name, value in expected.items())


def test_only_the_batches_of_the_host_are_pinned(tmp_path):
    samples = arrays(tmp_path)
    placed = choose_placement(DataLoader(placement="host"), [samples], CUDA, None).place(samples, CUDA)
    assert not any(field.is_pinned() for field in placed.fields.values())


def test_batches_are_whole_when_they_come_while_the_gpu_is_busy():
    """The memory of a batch must not be used again before the work on it, which lags behind, is done."""
    count, size = 60, 1 << 20
    work = torch.randn(2048, 2048, device=CUDA)
    sums = []
    for batch in read_ahead(({"value": torch.full((size,), number)} for number in range(count)), CUDA):
        for _ in range(5):
            work = (work @ work).clamp(-1, 1)
        sums.append(torch.stack([batch["value"].amin(), batch["value"].amax()]))
        del batch
    assert torch.stack(sums).cpu().tolist() == [[number, number] for number in range(count)]
