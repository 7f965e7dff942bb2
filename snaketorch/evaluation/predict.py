"""Predictions of the whole test split, and what they cost."""

import logging
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TypeVar

import numpy as np
import torch

from snaketorch.data.loading.batches import EvaluationBatches
from snaketorch.data.loading.samples import Batch, Samples
from snaketorch.errors import OutOfMemory
from snaketorch.hardware.memory import peak_memory_mb
from snaketorch.hardware.out_of_memory import free_memory, in_short, is_out_of_memory, let_go
from snaketorch.tasks.base import TaskModule

log = logging.getLogger(__name__)

LATENCY_CALLS = 30

T = TypeVar("T")


@dataclass(frozen=True)
class Cost:
    """What predicting costs on one device."""

    samples_per_second: float
    """Over the test split in batches, with reading and moving them."""
    latency_ms: float
    """From one sample on the device to its prediction, median of ``LATENCY_CALLS``."""
    peak_memory_mb: float
    """MiB: of the GPU where there is one, else of the process."""
    parameters: int

    def as_json(self) -> dict[str, float]:
        return {
            name: float(f"{value:.5g}") if isinstance(value, float) else value for name, value in asdict(self).items()
        }


@contextmanager
def full_float32() -> Iterator[None]:
    """Every float32 operation computed as such: no TF32, no autocast, the same algorithms every time."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


def predict(
    task: TaskModule, samples: Samples, batch_size: int, device: torch.device
) -> tuple[dict[str, np.ndarray], Cost]:
    """What ``task`` predicts for all samples, in their order, in float32 whatever it was trained in.

    Batches are smaller than ``batch_size`` where the memory of the device asks for it.

    Raises:
        OutOfMemory: It does not hold the prediction of one sample.
    """
    task = task.eval().float().to(device)
    found, _ = in_batches_that_fit(lambda size: _predict(task, samples, size, device), min(batch_size, len(samples)))
    return found


def in_batches_that_fit(attempt: Callable[[int], T], batch_size: int) -> tuple[T, int]:
    """What ``attempt`` gives for a size of batches, halved until the device's memory holds them; and that size.

    Raises:
        OutOfMemory: It does not hold the prediction of one sample.
    """
    while True:
        try:
            return attempt(batch_size), batch_size
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            told = in_short(error)
            let_go(error)
        free_memory()
        if batch_size == 1:
            raise OutOfMemory(
                f"the device's memory does not hold the prediction of one sample ({told}); test on a GPU with more "
                "memory, or train a smaller model"
            )
        batch_size = -(-batch_size // 2)
        log.warning("The device's memory is full (%s): predicting %d samples at a time", told, batch_size)


@torch.inference_mode()
def predicted(task: TaskModule, samples: Samples, batch_size: int, device: torch.device) -> dict[str, np.ndarray]:
    """As ``predict``, of a task that is on ``device`` already, in batches of that size, without measuring its cost."""
    batches = EvaluationBatches(samples, batch_size, reads_ahead_for=device if device.type == "cuda" else None)
    with full_float32():
        return _joined([_of(task, batch, device) for batch in batches])


@torch.inference_mode()
def _predict(
    task: TaskModule, samples: Samples, batch_size: int, device: torch.device
) -> tuple[dict[str, np.ndarray], Cost]:
    batches = EvaluationBatches(samples, batch_size, reads_ahead_for=device if device.type == "cuda" else None)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with full_float32():
        task.predict(_moved(next(iter(batches)), device))  # the first call loads kernels and fills caches
        _wait_for(device)
        started = time.perf_counter()
        parts = [_of(task, batch, device) for batch in batches]
        seconds = time.perf_counter() - started
        latency = _latency_ms(task, _moved(samples.batch(torch.zeros(1, dtype=torch.int64)), device), device)
    cost = Cost(
        samples_per_second=len(samples) / seconds,
        latency_ms=latency,
        peak_memory_mb=peak_memory_mb(device),
        parameters=sum(weight.numel() for weight in task.network.parameters()),
    )
    return _joined(parts), cost


def _of(task: TaskModule, batch: Batch, device: torch.device) -> Batch:
    """What is predicted of a batch, on the CPU."""
    return {name: value.cpu() for name, value in task.predict(_moved(batch, device)).items()}


def _joined(parts: list[Batch]) -> dict[str, np.ndarray]:
    return {name: torch.cat([part[name] for part in parts]).numpy() for name in parts[0]}


def _moved(batch: Batch, device: torch.device) -> Batch:
    return {name: value.to(device) for name, value in batch.items()}


def _latency_ms(task: TaskModule, sample: Batch, device: torch.device) -> float:
    task.predict(sample)  # another batch size may choose other kernels
    times = []
    for _ in range(LATENCY_CALLS):
        _wait_for(device)
        started = time.perf_counter()
        task.predict(sample)
        _wait_for(device)
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
