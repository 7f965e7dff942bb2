"""What was measured against the peak rates of the catalogue."""

from collections.abc import Mapping
from typing import Any

from snaketorch.config.gpu import Gpu


def peaks(gpu: Gpu) -> dict[str, Any]:
    """The peak rates that the catalogue tells of what is measured."""
    return {"tflops": dict(gpu.tflops), "bandwidth_gbs": gpu.bandwidth_gbs, "certainty": gpu.certainty}


def shares(measured: Mapping[str, Any], gpu: Gpu) -> dict[str, Any]:
    """What share of its peak rate was reached, of all that both know: as ``efficiencies``, but not cut at 1."""
    matmul = {
        name: round(rate / gpu.tflops[name], 4)
        for name, rate in measured["matmul_tflops"].items()
        if name in gpu.tflops
    }
    trained_in = measured["trained_in"]
    found = {"matmul": matmul} if matmul else {}
    for name in ("conv", "lstm"):
        if (rate := measured[f"{name}_tflops"]) is not None and trained_in in gpu.tflops:
            found[name] = round(rate / gpu.tflops[trained_in], 4)
    if measured["bandwidth_gbs"] is not None:
        found["bandwidth"] = round(measured["bandwidth_gbs"] / gpu.bandwidth_gbs, 4)
    return found


def efficiencies(measured: Mapping[str, Any], gpu: Gpu | None) -> dict[str, Any]:
    """For an estimate: from 0 to 1, ``matmul`` by number format, ``conv``, ``lstm`` and ``bandwidth``.

    What is above its peak in the catalogue counts as 1; what only one of both knows is left out.
    """
    found = shares(measured, gpu) if gpu else {}
    if "matmul" in found:
        found["matmul"] = {name: min(share, 1.0) for name, share in found["matmul"].items()}
    return {name: share if name == "matmul" else min(share, 1.0) for name, share in found.items()}
