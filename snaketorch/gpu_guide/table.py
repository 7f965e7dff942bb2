"""GPUs as a table for a terminal, at most 100 columns wide."""

from collections.abc import Iterable, Iterator, Sequence

from snaketorch.config.gpu import Gpu

NAMES = 24
"""Columns for a name; a longer one has a line of its own."""
LOW = "?"
"""Stands behind the name of a GPU whose figures are of low certainty."""
KEY = (
    "cap.: compute capability. GiB, GB/s: memory and its bandwidth. FP32 to BF16: peak TFLOPS, dense,",
    "summed in FP32, of tensor or matrix cores where there are some; - not in hardware. W: at full load.",
)
LOW_KEY = f"{LOW} figures of low certainty: --json tells their source."


def table(gpus: Sequence[Gpu]) -> str:
    """One line for each GPU under a head, and what the columns mean."""
    priced = any(gpu.price_per_hour is not None for gpu in gpus)
    lines = [
        _line("GPU", ["arch", "cap.", "year", "GiB", "GB/s", "FP32", "TF32", "FP16", "BF16", "W"], priced, "price")
    ]
    for gpu in gpus:
        lines.extend(_lines(gpu, priced))
    lines.extend(["", *KEY])
    if any(gpu.certainty == "low" for gpu in gpus):
        lines.append(LOW_KEY)
    currencies = {gpu.currency for gpu in gpus if gpu.currency}
    if priced:
        lines.append(f"price: of one GPU for an hour{f', in {currencies.pop()}' if len(currencies) == 1 else ''}.")
    return "\n".join(lines)


def _lines(gpu: Gpu, priced: bool) -> Iterator[str]:
    name = gpu.name + (f" {LOW}" if gpu.certainty == "low" else "")
    rates = (number(gpu.tflops.get(precision)) for precision in ("fp32", "tf32", "fp16", "bf16"))
    cells = [
        *(gpu.architecture[:9], (gpu.compute_capability or "-")[:7], str(gpu.year or "-")),
        *(number(gpu.memory_gb), f"{gpu.bandwidth_gbs:.0f}", *rates, number(gpu.watts)),
    ]
    price = "-" if gpu.price_per_hour is None else f"{gpu.price_per_hour:.2f}"
    if len(name) > NAMES:
        yield name
        name = ""
    yield _line(name, cells, priced, price)


def _line(name: str, cells: Iterable[str], priced: bool, price: str) -> str:
    architecture, capability, *numbers = cells
    widths = (4, 4, 5, 4, 4, 4, 4, 4)
    columns = [f"{name:<{NAMES}}", f"{architecture:<9}", f"{capability:<7}"]
    columns += [f"{cell:>{width}}" for cell, width in zip(numbers, widths, strict=True)]
    return "  ".join([*columns, *([f"{price:>5}"] if priced else [])])


def number(value: float | None) -> str:
    """Three digits or more: `0.84`, `35.6`, `312`, `1307`; `-` for none."""
    if value is None:
        return "-"
    if value >= 100 or value == round(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"
