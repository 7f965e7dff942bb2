"""Measures the device at hand, tells of it, and keeps what it learnt for the estimates."""

import logging
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from snaketorch.config.gpu_at_hand import gpu_at_hand
from snaketorch.config.gpus import catalogue
from snaketorch.hardware.benchmark.compare import efficiencies, peaks
from snaketorch.hardware.benchmark.measure import measure
from snaketorch.hardware.benchmark.table import table
from snaketorch.hardware.gpus import said_by
from snaketorch.hardware.meters.choose import meter_of
from snaketorch.hardware.precision import device_name
from snaketorch.provenance import host, versions
from snaketorch.publish import write_json

log = logging.getLogger(__name__)

FORMAT = 1
FOLDER = Path("state/devices")
"""One file for each device, by its name."""
BUSY = 0.1
"""Utilisation above which somebody else computes on a GPU."""
GIB = 2**30


def benchmark(root: Path, quick: bool = False, threads: int = 1) -> tuple[str, Path]:
    """Measures the first GPU that this process sees, else the CPU.

    Args:
        root: The study, whose `config/gpus.yaml` may name the GPU, and where ``state/devices`` is.
        quick: Measure for a few seconds only.
        threads: Of the CPU.

    Returns:
        What was found, as a table, and the file that keeps it.
    """
    gpus = catalogue(root)  # before anything is measured: it may be wrong
    began = time.monotonic()
    device = torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
    torch.set_num_threads(threads)
    name, gpu = device_name(device), None
    if device.type == "cuda":
        gpu = gpu_at_hand(name, torch.cuda.get_device_properties(device).total_memory / GIB, gpus)
        _warn_of_others(device)
    measured = measure(device, quick)
    path = file_of(name, root)
    content: dict[str, Any] = {
        "format": FORMAT,
        "device": name,
        "type": device.type,
        "gpu": gpu.name if gpu else None,
        "quick": quick,
        "threads": torch.get_num_threads(),
        "measured": measured,
        "catalogue": peaks(gpu) if gpu else None,
        "efficiencies": efficiencies(measured, gpu),
        "versions": versions(["torch"]) | {"cuda": torch.version.cuda, "hip": torch.version.hip},
        "driver": _driver(device),
        "host": host(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - began, 1),
    }
    write_json(path, content)
    return table(_title(name, device, content["threads"]), measured, gpu), path


def file_of(name: str, root: Path = Path()) -> Path:
    """Where the measurement of the device that calls itself ``name`` is kept."""
    return root / FOLDER / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name).strip('-.') or 'device'}.json"


def _title(name: str, device: torch.device, threads: int) -> str:
    return name if device.type == "cuda" else f"{name}, {threads} thread{'s' if threads > 1 else ''}"


def _driver(device: torch.device) -> str | None:
    """The version of NVIDIA's driver; None where its tool does not tell."""
    if device.type != "cuda":
        return None
    lines = said_by("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader").split()
    return lines[0] if lines else None


def _warn_of_others(device: torch.device) -> None:
    meter = meter_of(device)
    reading = meter() if meter else None
    if reading and reading.utilisation is not None and reading.utilisation > BUSY:
        log.warning(
            "The GPU is at work for others (%.0f %%): what is measured now is too low", 100 * reading.utilisation
        )
