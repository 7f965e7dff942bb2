"""What was measured of a device, for a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from snaketorch.config.gpu import Gpu
from snaketorch.hardware.benchmark.compare import shares

NOTHING = "-"


def table(device: str, measured: Mapping[str, Any], gpu: Gpu | None) -> str:
    """One line for each rate, with the catalogue's peak and the share of it where ``gpu`` is its row there."""
    lines = [device, ""]
    lines += [f"{'':<28}{'measured':>12}  {'':<7}" + (f"{'catalogue':>10}{'reached':>10}" if gpu else "")]
    lines += [_line(*row, compared=gpu is not None) for row in _rows(measured, gpu)]
    lines.append("")
    if gpu is None:
        lines.append("No row of the catalogue is of this device, so there is nothing to compare with.")
    else:
        lines.append(f"catalogue: peak rates of {gpu.name}, dense, summed in FP32 (certainty: {gpu.certainty}).")
    if measured["matmul_tflops"]:
        trained = f"Convolutions and LSTM: forwards and backwards in {measured['trained_in'].upper()}."
        lines.append(trained)
    return "\n".join(line.rstrip() for line in lines)


def _rows(measured: Mapping[str, Any], gpu: Gpu | None) -> Iterator[tuple[str, float | None, str, float | None, Any]]:
    """Name, value, unit, peak, share."""
    reached, peak = (shares(measured, gpu), gpu.tflops) if gpu else ({}, {})
    trained_in = measured["trained_in"]
    for name, rate in measured["matmul_tflops"].items():
        share = reached.get("matmul", {}).get(name)
        yield f"matrix product, {name.upper()}", rate, "TFLOPS", peak.get(name), share
    for key, name in (("conv", "convolutions"), ("lstm", "LSTM")):
        rate = measured[f"{key}_tflops"]
        yield f"{name}, training", rate, "TFLOPS", peak.get(trained_in), reached.get(key)
    bandwidth = gpu.bandwidth_gbs if gpu else None
    yield "memory bandwidth", measured["bandwidth_gbs"], "GB/s", bandwidth, reached.get("bandwidth")
    for direction, rate in (measured["copy_gbs"] or {}).items():
        yield f"copy {direction} the device", rate, "GB/s", None, None
    yield "start of an operation", measured["launch_us"], "µs", None, None


def _line(name: str, value: float | None, unit: str, peak: float | None, share: float | None, *, compared: bool) -> str:
    columns = f"{name:<28}{_number(value):>12}  {unit:<7}"
    if not compared:
        return columns
    return columns + f"{_number(peak):>10}{NOTHING if share is None else f'{share:.0%}':>10}"


def _number(value: float | None) -> str:
    """Three digits: `0.0841`, `12.3`, `989`."""
    if value is None:
        return NOTHING
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
