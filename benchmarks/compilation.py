"""What `trainer.compile` costs and gains: a training step of small networks, as it is and compiled.

Both take turns on one batch: forwards, backwards and a step of the optimizer, in 32 bits.
"""

import argparse
import logging
import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

import torch
from devices import add_arguments, result_file, shown, wait_for
from machine import described
from torch.nn import functional as F

from snaketorch.config.models import Cnn, Lstm, Mlp, Resnet
from snaketorch.hardware.allocator import keep_freed_memory
from snaketorch.models import build_network
from snaketorch.models.shapes import ImageShape, SequenceShape
from snaketorch.training.compilation import compile_network

BATCH, CLASSES = 64, 10
CASES = {
    "mlp, 1x28x28": (Mlp(kind="mlp"), ImageShape(1, 28, 28)),
    "cnn, 3x32x32": (Cnn(kind="cnn"), ImageShape(3, 32, 32)),
    "resnet18, 3x32x32": (Resnet(kind="resnet"), ImageShape(3, 32, 32)),
    "lstm of 64, 32 steps": (Lstm(kind="lstm"), SequenceShape(32, 16)),
}


class Found(NamedTuple):
    """Seconds."""

    eager: float
    compiled: float
    first: float
    """Of the first compiled step."""


def step(options, shape, device: torch.device, compiled: bool) -> Callable[[], float]:
    """Gives the seconds of one more step."""
    network = build_network(options, shape, CLASSES).to(device)
    if compiled:
        compile_network(network, device)
    sample = torch.randn(BATCH, *shape, device=device)
    label = torch.arange(BATCH, device=device) % CLASSES
    optimizer = torch.optim.AdamW(network.parameters())

    def run() -> float:
        began = time.perf_counter()
        optimizer.zero_grad()
        F.cross_entropy(network(sample), label).backward()
        optimizer.step()
        wait_for(device)
        return time.perf_counter() - began

    return run


def measure(device: torch.device, repeats: int) -> dict[str, Found]:
    found = {}
    for name, (options, shape) in CASES.items():
        eager, compiled = (step(options, shape, device, compiled) for compiled in (False, True))
        eager()
        first = compiled()
        times = [(eager(), compiled()) for _ in range(repeats)][repeats // 5 :]
        found[name] = Found(*(median(column) for column in zip(*times, strict=True)), first)
    return found


def table(found: dict[str, Found], device: torch.device, repeats: int) -> str:
    lines = [
        "# Compiled networks",
        "",
        f"One training step, batches of {BATCH}, {shown(device)}, {torch.get_num_threads()} threads, medians of "
        f"{repeats - repeats // 5} steps in turn (see `benchmarks/compilation.py`).",
        "",
        "| network | as it is, ms | compiled, ms | times as fast | first step, s | paid after, steps |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, (eager, compiled, first) in found.items():
        gain = eager - compiled
        paid = f"{first / gain:,.0f}" if gain > 0.02 * eager else "never"
        lines.append(
            f"| {name} | {eager * 1e3:.2f} | {compiled * 1e3:.2f} | {eager / compiled:.2f} | {first:.1f} | {paid} |"
        )
    return "\n".join([*lines, "", described(["torch"]), ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=40)
    add_arguments(parser, "compilation")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    keep_freed_memory()
    text = table(measure(arguments.device, arguments.repeats), arguments.device, arguments.repeats)
    result_file(arguments, "compilation").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
