"""All that is measured of a device."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import torch

from snaketorch.hardware.benchmark.arithmetic import conv_tflops, lstm_tflops, matmul_tflops
from snaketorch.hardware.benchmark.formats import formats_of, training_format
from snaketorch.hardware.benchmark.movement import bandwidth_gbs, copy_gbs, launch_us
from snaketorch.hardware.benchmark.stopwatch import Stopwatch

log = logging.getLogger(__name__)

T = TypeVar("T")

SECONDS, QUICK_SECONDS = 1.5, 0.2
"""For each measurement."""


def measure(device: torch.device, quick: bool = False) -> dict[str, Any]:
    """What ``device`` does, with None for what it cannot do or has no memory for.

    Returns:
        ``matmul_tflops`` by number format, ``conv_tflops`` and ``lstm_tflops`` in the format ``trained_in``,
        ``bandwidth_gbs``, ``copy_gbs`` `to` the device and `from` it (None for a CPU) and ``launch_us``.
    """
    watch = Stopwatch(device, QUICK_SECONDS if quick else SECONDS)
    trained_in = training_format(device)
    matmul = {name: _tried(f"matmul in {name}", matmul_tflops, watch, name) for name in formats_of(device)}
    return {
        "matmul_tflops": {name: rate for name, rate in matmul.items() if rate is not None},
        "bandwidth_gbs": _tried("bandwidth", bandwidth_gbs, watch),
        "copy_gbs": _tried("copies", copy_gbs, watch) if device.type == "cuda" else None,
        "launch_us": _tried("launch", launch_us, watch),
        "conv_tflops": _tried("convolutions", conv_tflops, watch, trained_in),
        "lstm_tflops": _tried("LSTM", lstm_tflops, watch, trained_in),
        "trained_in": trained_in,
    }


def _tried(what: str, measurement: Callable[..., T], *arguments: Any) -> T | None:
    log.info("Measuring: %s", what)
    try:
        found = measurement(*arguments)
    except (RuntimeError, NotImplementedError) as error:  # too little memory, or no kernel for this format
        log.warning("Not measured: %s: %s", what, str(error).strip().partition("\n")[0])
        return None
    finally:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    return {name: _rounded(rate) for name, rate in found.items()} if isinstance(found, dict) else _rounded(found)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
