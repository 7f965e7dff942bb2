"""Shuffled loading of 50,000 small colour images, against the usual loader over the same tensors.

Both give whole epochs of batches of 512 in a new random order, in turn, in one process with the same
number of threads and the same setting of the allocator. The usual loader runs with 0 and with 2 workers,
and its better figure counts.

On a GPU the batches of all end in its memory: the usual loader pins them and they are sent without waiting, ours lie
there already, as `data_loader: {placement: device}` has them, or come from the host's memory (`host`).
"""

import argparse
import time
from collections.abc import Callable, Iterable
from statistics import median

import torch
from devices import add_arguments, result_file, shown, wait_for
from machine import described
from torch.utils.data import DataLoader, TensorDataset

from snaketorch.data.loading.batches import TrainingBatches
from snaketorch.data.loading.samples import ArraySamples
from snaketorch.hardware.allocator import keep_freed_memory

SAMPLES, SHAPE, BATCH = 50_000, (3, 32, 32), 512
GOAL = 10.0
OURS, FROM_HOST = "Snaketorch", "Snaketorch, from the host's memory"
IN_PROCESS, WORKERS = "DataLoader, 0 workers", "DataLoader, 2 workers"


def loaders(device: torch.device) -> dict[str, Callable[[], Iterable]]:
    """Gives, by name, the batches of an epoch, on the device."""
    fields = {
        "image": torch.randint(0, 256, (SAMPLES, *SHAPE), dtype=torch.uint8),
        "label": torch.randint(0, 10, (SAMPLES,)),
    }
    usual = TensorDataset(*fields.values())
    pinned = device.type == "cuda"
    in_process = DataLoader(usual, BATCH, shuffle=True, pin_memory=pinned)
    with_workers = DataLoader(usual, BATCH, shuffle=True, num_workers=2, persistent_workers=True, pin_memory=pinned)
    found = {OURS: ours({name: field.to(device) for name, field in fields.items()}, None)}
    if pinned:
        found[FROM_HOST] = ours(fields, device)
    return found | {IN_PROCESS: lambda: sent(in_process, device), WORKERS: lambda: sent(with_workers, device)}


def ours(fields: dict[str, torch.Tensor], reads_ahead_for: torch.device | None) -> Callable[[], Iterable]:
    """Gives the batches of one more epoch."""
    done = [0]
    batches = TrainingBatches(ArraySamples(fields), BATCH, 0, lambda: done[0], reads_ahead_for=reads_ahead_for)

    def epoch() -> Iterable:
        for batch in batches:
            yield batch
            done[0] += 1

    return epoch


def sent(batches: Iterable, device: torch.device) -> Iterable:
    """What the usual training loop does with the loader's batches."""
    if device.type == "cpu":
        return batches
    return ([part.to(device, non_blocking=True) for part in batch] for batch in batches)


def seconds(epoch: Iterable, device: torch.device) -> float:
    wait_for(device)
    began = time.perf_counter()
    batches = sum(1 for _ in epoch)
    wait_for(device)
    took = time.perf_counter() - began
    assert batches == -(-SAMPLES // BATCH)
    return took


def measure(device: torch.device, repeats: int) -> dict[str, list[float]]:
    """Seconds of each epoch, in turn; the first round, which starts the workers, is not counted."""
    epochs = loaders(device)
    found: dict[str, list[float]] = {name: [] for name in epochs}
    for turn in range(repeats + 1):
        for name, epoch in epochs.items():
            took = seconds(epoch(), device)
            if turn:
                found[name].append(took)
    return found


def table(found: dict[str, list[float]], device: torch.device, repeats: int) -> str:
    rates = {name: SAMPLES / median(times) for name, times in found.items()}
    best = max(rates[IN_PROCESS], rates[WORKERS])
    lines = [
        "# Shuffled loading",
        "",
        f"{SAMPLES:,} images of {'x'.join(map(str, SHAPE))} bytes with labels, batches of {BATCH}, "
        f"on {shown(device)}, medians of {repeats} epochs (see `benchmarks/loading.py`).",
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
    add_arguments(parser, "loading")
    arguments = parser.parse_args()
    keep_freed_memory()  # as `python -m snaketorch train` does
    text = table(measure(arguments.device, arguments.repeats), arguments.device, arguments.repeats)
    result_file(arguments, "loading").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
