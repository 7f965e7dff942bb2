"""``benchmark-device``: what the GPU or CPU at hand really does."""

import argparse
import os
from pathlib import Path

from snaketorch.commands.options import count
from snaketorch.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("benchmark-device", benchmark_device, spec=False)
    step.set_defaults(gpus=1)  # alone, where there is one: a training beside it would spoil both
    step.add_argument("--quick", action="store_true", help="measure for some seconds only, less exactly")
    step.add_argument(
        "--threads", type=count, default=_cores(), help="CPU threads (default: the cores here, %(default)s)"
    )
    step.add_argument("--json", action="store_true", help="print the file instead of the table, for programs")


def benchmark_device(arguments: argparse.Namespace) -> None:
    """Measure the GPU at hand, or the CPU where there is none, and keep its efficiencies for the plans."""
    from snaketorch.hardware.benchmark.run import benchmark

    text, path = benchmark(Path.cwd(), arguments.quick, arguments.threads)
    told = path.read_text("utf-8") if arguments.json else f"{text}\n\nKept in {path.relative_to(Path.cwd())}."
    print(told)  # noqa: T201


def _cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
