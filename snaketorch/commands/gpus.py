"""``gpus``: the catalogue of GPUs, and what of them matters for deep learning."""

import argparse
from pathlib import Path

from snaketorch.commands.options import gib
from snaketorch.commands.parser import Commands

PRECISIONS = ("fp32", "tf32", "fp16", "bf16", "int8", "fp8", "fp4")
PLACES = ("desktop", "workstation", "data centre", "edge")


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("gpus", gpus, spec=False)
    step.add_argument("names", nargs="*", metavar="NAME", help="only these, and what matters of each (default: all)")
    step.add_argument("--vendor", help="NVIDIA or AMD")
    step.add_argument("--architecture", help="such as Ampere")
    step.add_argument("--made-for", choices=PLACES, help="where it is at home")
    step.add_argument("--min-memory", type=gib, metavar="GIB", help="at least so much memory")
    step.add_argument("--precision", choices=PRECISIONS, help="only those that have hardware for it")
    step.add_argument("--sort", choices=("tflops", "memory", "bandwidth", "price"), help="the best first")
    step.add_argument("--json", action="store_true", help="all that is known, for programs")


def gpus(arguments: argparse.Namespace) -> None:
    """List GPUs by memory, bandwidth and speed, and say what matters of one for deep learning."""
    from snaketorch.gpu_guide.choice import Choice
    from snaketorch.gpu_guide.listing import listing

    choice = Choice(
        names=arguments.names,
        vendor=arguments.vendor,
        architecture=arguments.architecture,
        made_for=arguments.made_for,
        min_memory=arguments.min_memory,
        precision=arguments.precision,
        sort=arguments.sort,
    )
    print(listing(Path.cwd(), choice, arguments.json))  # noqa: T201
