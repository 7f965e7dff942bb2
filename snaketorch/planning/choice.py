"""Which GPU a training should ask for, and for how much memory and time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from snaketorch.config.resources import AUTO, MOST_HOURS
from snaketorch.config.specs import Site
from snaketorch.planning.fit import GIB, Fit

MARGIN = 1.5
"""Of the time: an estimate from peak rates may be wrong by a third, and disks and neighbours differ."""
MEMORY_MARGIN = 1.25
"""Of the host's memory."""
STARTING_HOURS = 0.1
"""For a queue of imports, a slow disk, the last checkpoint."""
QUARTERS = 4
"""Hours are asked for in quarters, and memory in halves of a GiB."""


@dataclass(frozen=True)
class Choice:
    """One GPU of several, and why."""

    fit: Fit | None
    rule: str


def choose(fits: Sequence[Fit]) -> Choice:
    """The cheapest that fits where prices are known, else the fastest; the other figure decides between equals.

    When none is sure to fit, the one that is most likely to.
    """
    safe = [fit for fit in fits if fit.fits]
    possible = safe or [fit for fit in fits if fit.is_tight]
    if not possible:
        roomy = max(fits, key=lambda fit: fit.usable - fit.estimate.memory.upper_bound, default=None)
        return Choice(roomy, "none fits; this one lacks least" if roomy else "no GPU is asked for")
    doubt = "" if safe else "none is sure to fit; of those that may "
    priced = [fit for fit in possible if fit.money is not None]
    if priced:
        left = "" if len(priced) == len(possible) else " and has a price"
        chosen = min(priced, key=lambda fit: (fit.money, fit.seconds))
        return Choice(chosen, f"{doubt}the cheapest{'' if doubt else f' that fits{left}'}")
    chosen = min(possible, key=lambda fit: (fit.seconds, fit.gpu.watts))
    which = f"{doubt}the fastest{'' if doubt else ' that fits'}"
    return Choice(chosen, f"{which} (config/gpus.yaml tells none of their prices)")


def request(
    site: Site, fits: Sequence[Fit], choice: Choice, cpu_seconds: float | None, host_bytes: int
) -> dict[str, Any]:
    """What the job should ask for: the ``chosen`` of ``plan.json``.

    Time is that of the slowest GPU which the job may get: only a name or a partition narrows that down.

    Args:
        site: What the configuration says.
        fits: The GPUs that were compared.
        choice: One of them.
        cpu_seconds: A training on the CPU; None when it must have a GPU.
        host_bytes: Memory of a node.
    """
    gpu = choice.fit.gpu if choice.fit and site.gpus_asked else None
    model, partition = None, site.partition
    if gpu:
        model = gpu.gpu_model if site.gpu_model == AUTO else site.gpu_model
        partition = site.partition or (gpu.partition if site.gpu_model == AUTO else None)
        may_be = [fit.seconds for fit in _may_get(fits, model, partition)]
    else:
        may_be = [fit.seconds for fit in fits] if cpu_seconds is None else [cpu_seconds]
    return {
        "gpu": gpu.name if gpu else None,
        "gpu_model": model,
        "partition": partition,
        "gpus": site.gpus_asked,
        "memory_gb": _rounded_up(host_bytes * MEMORY_MARGIN / GIB, 2),
        "hours": min(MOST_HOURS, _hours(max(may_be, default=3600.0))),
        "fits": choice.fit.fits if gpu else None,
        "rule": choice.rule if gpu else "no GPU is asked for",
    }


def _may_get(fits: Sequence[Fit], model: str | None, partition: str | None) -> list[Fit]:
    """The GPUs that a job may get which asks so: those of the model, else those of the partition, or all."""
    if model and (named := [fit for fit in fits if fit.gpu.gpu_model == model]):
        return named
    if partition and not model:
        return [fit for fit in fits if fit.gpu.partition is None or not _apart(fit.gpu.partition, partition)] or [*fits]
    return [*fits]


def _apart(one: str, other: str) -> bool:
    return set(one.split(",")).isdisjoint(other.split(","))


def _hours(seconds: float) -> float:
    return _rounded_up(seconds * MARGIN / 3600 + STARTING_HOURS, QUARTERS)


def _rounded_up(value: float, parts: int) -> float:
    return max(1, math.ceil(value * parts - 1e-9)) / parts
