"""Meters of NVIDIA's GPUs: NVML where its Python module is installed, else ``nvidia-smi``."""

from importlib import import_module
from typing import Any

from snaketorch.hardware.gpus import said_by
from snaketorch.hardware.meters.reading import Meter, Reading, reading

MODULE = "pynvml"
"""Of the package nvidia-ml-py; no environment has it, and where it is there a reading is free."""


def nvml(uuid: str) -> Meter | None:
    """The meter of the GPU ``uuid`` by NVML; None when there is no module, no driver or no such GPU."""
    try:
        library = import_module(MODULE)
        library.nvmlInit()
        handle = library.nvmlDeviceGetHandleByUUID(uuid)
    except Exception:  # an import that fails in its own way, or an error of NVML, whose class is in the module
        return None

    def meter() -> Reading | None:
        percent = _told(library, library.nvmlDeviceGetUtilizationRates, handle)
        milliwatts = _told(library, library.nvmlDeviceGetPowerUsage, handle)
        return reading(getattr(percent, "gpu", None), None if milliwatts is None else milliwatts / 1000)

    return meter


def nvidia_smi(uuid: str) -> Reading | None:
    """The GPU ``uuid`` by its vendor's tool."""
    fields = "--query-gpu=utilization.gpu,power.draw"
    line = said_by("nvidia-smi", f"--id={uuid}", fields, "--format=csv,noheader,nounits").strip()
    percent, _, watts = line.partition(",")
    return reading(percent, watts)


def _told(library: Any, question, handle: Any) -> Any:
    """The answer of NVML; None where this GPU has none."""
    try:
        return question(handle)
    except library.NVMLError:
        return None
