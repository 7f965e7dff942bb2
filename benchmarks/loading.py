"""Shuffled loading of 50,000 small colour images, against the usual loader over the same tensors.

Both give whole epochs of batches of 512 in a new random order, in turn, in one process with the same
number of threads and the same setting of the allocator. The usual loader runs with 0 and with 2 workers,
and its better figure counts.
"""

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

import torch
from machine import described
from torch.utils.data import DataLoader, TensorDataset

from snaketorch.data.loading.batches import TrainingBatches
from snaketorch.data.loading.samples import ArraySamples
from snaketorch.hardware.allocator import keep_freed_memory

RESULT = Path(__file__).parent / "results" / "loading.md"
SAMPLES, SHAPE, BATCH = 50_000, (3, 32, 32), 512
GOAL = 10.0
OURS, IN_PROCESS, WORKERS = "Snaketorch", "DataLoader, 0 workers", "DataLoader, 2 workers"


def loaders() -> dict[str, Callable[[], Iterable]]:
    """Gives, by name, the batches of an epoch."""
    images = torch.randint(0, 256, (SAMPLES, *SHAPE), dtype=torch.uint8)
    labels = torch.randint(0, 10, (SAMPLES,))
    done = [0]

    def epoch() -> Iterable:
        for batch in ours:
            yield batch
            done[0] += 1

    ours = TrainingBatches(ArraySamples({"image": images, "label": labels}), BATCH, 0, lambda: done[0])
    usual = TensorDataset(images, labels)
    with_workers = DataLoader(usual, BATCH, shuffle=True, num_workers=2, persistent_workers=True)
    return {OURS: epoch, IN_PROCESS: lambda: DataLoader(usual, BATCH, shuffle=True), WORKERS: lambda: with_workers}


def seconds(epoch: Iterable) -> float:
    began = time.perf_counter()
    batches = sum(1 for _ in epoch)
    assert batches == -(-SAMPLES // BATCH)
    return time.perf_counter() - began


def measure(repeats: int) -> dict[str, list[float]]:
    """Seconds of each epoch, in turn; the first round, which starts the workers, is not counted."""
    epochs = loaders()
    found: dict[str, list[float]] = {name: [] for name in epochs}
    for turn in range(repeats + 1):
        for name, epoch in epochs.items():
            took = seconds(epoch())
            if turn:
                found[name].append(took)
    return found


def table(found: dict[str, list[float]], repeats: int) -> str:
    rates = {name: SAMPLES / median(times) for name, times in found.items()}
    best = max(rates[IN_PROCESS], rates[WORKERS])
    lines = [
        "# Shuffled loading",
        "",
        f"{SAMPLES:,} images of {'x'.join(map(str, SHAPE))} bytes with labels, batches of {BATCH}, "
        f"medians of {repeats} epochs (see `benchmarks/loading.py`).",
        "",
        "| loader | samples/s | Snaketorch against it |",
        "|---|---:|---:|",
        *(f"| {name} | {rate:,.0f} | {rates[OURS] / rate:.1f} |" for name, rate in rates.items()),
        "",
        f"Against the better of the usual ones: **{rates[OURS] / best:.1f} times** as fast; goal: {GOAL:g} times.",
        "",
        f"{torch.get_num_threads()} threads; {described(['torch'])}",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    keep_freed_memory()  # as `python -m snaketorch train` does
    text = table(measure(arguments.repeats), arguments.repeats)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
