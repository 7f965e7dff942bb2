"""The device that the competitors of a benchmark all run on."""

import argparse
from pathlib import Path

import torch

RESULTS = Path(__file__).parent / "results"


def add_arguments(parser: argparse.ArgumentParser, name: str) -> None:
    """``--device``, and ``--out``, which is a file of the device's own when absent."""
    parser.add_argument("--device", type=_device, default="auto", help="auto (a GPU where there is one), cpu or cuda")
    parser.add_argument("--out", type=Path, help=f"where the table goes; results/{name}-DEVICE.md when absent")


def result_file(arguments: argparse.Namespace, name: str) -> Path:
    """Where the table of the benchmark ``name`` goes."""
    path = arguments.out or RESULTS / f"{name}-{arguments.device.type}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def wait_for(device: torch.device) -> None:
    """Returns when all that was asked of the device is done: only then may a clock be read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def shown(device: torch.device) -> str:
    """A word for tables."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


def _device(name: str) -> torch.device:
    if name not in ("auto", "cpu", "cuda"):
        raise argparse.ArgumentTypeError(f"{name}; allowed: auto, cpu, cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise argparse.ArgumentTypeError("cuda, but PyTorch sees no GPU; allowed here: auto, cpu")
    return torch.device("cuda" if torch.cuda.is_available() and name != "cpu" else "cpu")
