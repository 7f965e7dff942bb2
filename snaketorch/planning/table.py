"""A plan as text for a terminal, at most 100 columns wide; from the content of ``plan.json`` alone."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from snaketorch.planning.fit import in_gib

WIDTH = 100
NAMES = 24
"""Columns for a name; a longer one has a line of its own."""
CHOSEN = "*"
LOW = "?"


def table(plan: Mapping[str, Any]) -> str:
    """One line for each GPU, what would be asked for, and advice."""
    lines = [*_head(plan), ""]
    if plan["gpus"]:
        lines += [*_gpus(plan), ""]
    lines += [*_cpu(plan), *_request(plan)]
    for item in plan["advice"]:
        lines.extend(_wrapped(f"- {item['what']}: {item['why']}.", "  "))
    return "\n".join(lines)


def _head(plan: Mapping[str, Any]) -> Iterator[str]:
    estimate = plan["estimate"]
    trainings = f", {plan['trainings']} trainings (seeds)" if plan["trainings"] > 1 else ""
    devices = f", on each of {plan['devices']} devices" if plan["devices"] > 1 else ""
    network = f"{_count(estimate['parameters'])} parameters"
    if estimate["trainable"] < estimate["parameters"]:
        network += f", of which {_count(estimate['trainable'])} learn"
    yield from _wrapped(
        f"{plan['experiment']}: {network}; batches of {plan['batch_size']:,}, at most {estimate['epochs']:,} epochs of "
        f"{_count(estimate['samples_per_epoch'])} samples{devices}{trainings}; {in_gib(plan['host_bytes'])} GiB of the "
        f"host's memory, {in_gib(plan['disk_bytes'])} GiB of disk",
        "  ",
    )


def _gpus(plan: Mapping[str, Any]) -> Iterator[str]:
    has_money = any(gpu["money"] is not None for gpu in plan["gpus"])
    money = plan["currency"] or "money"
    yield _row("GPU", "GiB", "needs", "fits", "batch", "precision", "step", "time", "kWh", money if has_money else "")
    for gpu in plan["gpus"]:
        mark = CHOSEN if gpu["name"] == plan["chosen"]["gpu"] else ""
        name = " ".join(filter(None, [gpu["name"], LOW if gpu["certainty"] == "low" else "", mark]))
        if len(name) > NAMES:
            yield name
            name = ""
        yield _row(
            name,
            in_gib(gpu["usable"]),
            in_gib(gpu["memory"]["upper_bound"]),
            "yes" if gpu["fits"] else "maybe" if gpu["tight"] else "no",
            "-" if gpu["largest_batch_size"] is None else f"{gpu['largest_batch_size']:,}",
            gpu["precision"],
            _seconds(gpu["seconds_per_step"]),
            _seconds(gpu["seconds"]),
            _hundredths(gpu["energy_wh"] / 1000),
            _hundredths(gpu["money"]) if has_money else "",
        )
    yield ""
    yield "GiB: what a training can have of one GPU, and a safe bound of what it needs (maybe: the estimate"
    yield "itself fits). batch: samples at once, about, at most. step: of the optimizer."
    yield f"time, kWh{f' and {money}' if has_money else ''}: of one training."
    if any(gpu["certainty"] == "low" for gpu in plan["gpus"]):
        yield f"{LOW} figures of low certainty."


def _row(name: str, *cells: str) -> str:
    widths = (5, 5, 5, 7, 10, 7, 7, 6, 7)
    text = [
        f"{cell:<{width}}" if width == 10 else f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)
    ]
    return f"{name:<{NAMES}} {' '.join(text)}".rstrip()


def _cpu(plan: Mapping[str, Any]) -> Iterator[str]:
    if cpu := plan["cpu"]:
        cores = "1 CPU core" if cpu["cores"] == 1 else f"{cpu['cores']} CPU cores"
        yield f"On {cores}: {_seconds(cpu['seconds'])} a training ({_seconds(cpu['seconds_per_step'])} a step)."


def _request(plan: Mapping[str, Any]) -> Iterator[str]:
    chosen = plan["chosen"]
    asked = [f"{key}: {chosen[key]:g}" for key in ("memory_gb", "hours")]
    asked += [f"{key}: {chosen[key]}" for key in ("gpu_model", "partition") if chosen[key]]
    if chosen["gpu"]:
        total = next(gpu for gpu in plan["gpus"] if gpu["name"] == chosen["gpu"])
        yield from _wrapped(f"{CHOSEN} {chosen['gpu']}: {chosen['rule']}; {total['why']}.", "  ")
        yield from _wrapped(f"  {total['precision_advice']}.", "  ")
    yield f"resources: auto asks for {{{', '.join(asked)}}}"


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _hundredths(value: float | None) -> str:
    """``0.36``, ``12``, ``<0.01``."""
    if value is None:
        return "-"
    return "<0.01" if 0 < value < 0.01 else f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def _count(number: int) -> str:
    """``940``, ``61 k``, ``1.2 M``, ``7.1 G``."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            value = number / size
            return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"
    return str(number)


def _seconds(seconds: float) -> str:
    """``0.2 ms``, ``40 s``, ``12 min``, ``3.4 h``, ``5 d``."""
    if seconds < 1:
        return f"{seconds * 1000:.2g} ms" if seconds < 0.0995 else f"{seconds * 1000:.0f} ms"
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 10 else f"{hours:.0f} h" if hours < 100 else f"{hours / 24:.0f} d"
