"""On a GPU: what a training and a benchmark tell of it."""

import pytest
import torch

from snaketorch.hardware.benchmark.measure import measure
from tests.unit.example_study import example_spec
from tests.unit.trainings import train

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")]


def test_a_training_on_a_gpu_tells_memory_and_steps(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record = train(example_spec("digits_cnn", 0, trainer={"max_epochs": 5}), digits)

    usage = record["usage"]
    assert record["device"]["type"] == "cuda"
    assert 0 < usage["peak_memory_mb"] <= usage["reserved_memory_mb"] < usage["device_memory_mb"]
    assert 0 <= usage["data_wait_share"] <= 1
    steps = usage["step_seconds"]
    assert 0 < steps["median"] <= steps["p90"]
    assert steps["median"] * record["steps"] < 1.5 * record["wall_seconds"]


def test_a_gpu_is_measured_in_every_way():
    measured = measure(torch.device("cuda", 0), quick=True)

    assert {"fp32", "fp16"} <= measured["matmul_tflops"].keys()
    rates = [measured[name] for name in ("bandwidth_gbs", "launch_us", "conv_tflops", "lstm_tflops")]
    assert all(rate > 0 for rate in [*rates, *measured["matmul_tflops"].values(), *measured["copy_gbs"].values()])
