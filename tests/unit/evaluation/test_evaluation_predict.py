from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from snaketorch.data.loading.samples import ArraySamples
from snaketorch.errors import OutOfMemory
from snaketorch.evaluation.predict import LATENCY_CALLS, Cost, full_float32, predict

CPU = torch.device("cpu")


class Doubling(nn.Module):
    """A task as far as predicting goes; notes what it is given."""

    def __init__(self):
        super().__init__()
        self.network = nn.Linear(3, 2).double()
        self.dropout = nn.Dropout(0.5)
        self.sizes = []

    def predict(self, batch):
        self.sizes.append(len(batch["value"]))
        self.seen = SimpleNamespace(
            dtype=self.network.weight.dtype, grad=torch.is_grad_enabled(), training=self.training
        )
        return {
            "double": 2 * self.dropout(batch["value"]),
            "linear": self.network(batch["value"]),
            "index": batch["index"],
        }


def samples(count):
    value = torch.randn(count, 3, generator=torch.Generator().manual_seed(0))
    return ArraySamples({"value": value, "index": torch.arange(count)})


@pytest.mark.parametrize("batch_size", [1, 4, 10, 99])
def test_every_sample_is_predicted_once_and_in_order(batch_size):
    data = samples(10)
    values, _ = predict(Doubling(), data, batch_size, CPU)
    assert values["index"].tolist() == list(range(10))
    np.testing.assert_array_equal(values["double"], 2 * data.fields["value"].numpy())


def test_predictions_are_in_float32_and_without_gradients_or_dropout():
    task = Doubling()
    values, _ = predict(task, samples(4), 2, CPU)
    assert values["linear"].dtype == np.float32
    assert task.seen == SimpleNamespace(dtype=torch.float32, grad=False, training=False)


def test_the_clock_starts_after_a_first_batch_and_latency_is_of_one_sample():
    task = Doubling()
    _, cost = predict(task, samples(10), 4, CPU)
    assert task.sizes == [4, 4, 4, 2] + [1] * (1 + LATENCY_CALLS)
    assert cost.samples_per_second > 0 and cost.latency_ms > 0
    assert cost.peak_memory_mb > 10
    assert cost.parameters == 3 * 2 + 2


class Cramped(Doubling):
    """Runs out of memory above three samples at once."""

    room = 3

    def predict(self, batch):
        if len(batch["value"]) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return super().predict(batch)


def test_batches_are_halved_until_the_memory_holds_them(caplog):
    task, data = Cramped(), samples(10)
    values, _ = predict(task, data, 64, CPU)
    expected, _ = predict(task, data, 3, CPU)
    assert values["index"].tolist() == list(range(10))
    np.testing.assert_allclose(values["linear"], expected["linear"], rtol=1e-6)
    assert max(task.sizes) == 3
    assert "memory is full (CUDA out of memory.): predicting 3 samples at a time" in caplog.text


def test_memory_without_room_for_one_sample_is_said(monkeypatch):
    monkeypatch.setattr(Cramped, "room", 0)
    with pytest.raises(OutOfMemory, match="does not hold the prediction of one sample"):
        predict(Cramped(), samples(10), 4, CPU)


def test_costs_are_written_with_five_digits():
    assert Cost(123456.7, 0.1234567, 321.0, 123456).as_json() == {
        "samples_per_second": 123460.0,
        "latency_ms": 0.12346,
        "peak_memory_mb": 321.0,
        "parameters": 123456,
    }


def test_full_float32_leaves_settings_as_they_were():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        with full_float32():
            assert torch.get_float32_matmul_precision() == "highest"
            assert not torch.backends.cudnn.allow_tf32
        assert torch.get_float32_matmul_precision() == "high"
        assert torch.backends.cudnn.allow_tf32
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_predicts_what_the_cpu_predicts():
    class Wide(Doubling):
        def __init__(self):
            super().__init__()
            self.network = nn.Sequential(
                nn.Unflatten(1, (3, 1, 1)), nn.Conv2d(3, 4096, 1), nn.Flatten(), nn.Linear(4096, 8)
            )

    torch.manual_seed(0)
    task, data = Wide(), samples(64)
    expected, _ = predict(task, data, 16, CPU)
    values, cost = predict(task, data, 16, torch.device("cuda"))
    # TF32, the default of convolutions, is off by 1e-3
    np.testing.assert_allclose(values["linear"], expected["linear"], rtol=1e-4, atol=1e-5)
    assert 0 < cost.peak_memory_mb < 100
