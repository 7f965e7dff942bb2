"""What a record says of the machine's part in a training, from what each of its processes measured."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from snaketorch.hardware.meters.sampler import Load

JOULES_PER_WATT_HOUR = 3600


def usage_of(processes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The record's ``usage``; None for what nothing here can tell.

    Args:
        processes: What ``UsageWatch.measured`` gives in each process, by rank.

    Returns:
        ``peak_memory_mb``, ``reserved_memory_mb``, ``device_memory_mb``: of the device where they are largest, in MiB;
        a CPU has only the first, its process's. ``host_memory_mb``: of all processes of the machine that takes most.
        ``utilisation``: from 0 to 1, the mean over the GPUs. ``power_w``, ``energy_wh``: of all GPUs together.
        ``data_wait_share``: of the process that waits longest. ``step_seconds``: of the first.
    """
    loads = [Load(**process["load"]) for process in processes]
    busy, watts = _all(load.utilisation for load in loads), _all(load.watts for load in loads)
    # a meter is read now and then; what it says stands for the whole time
    energy = [watts * process["seconds"] for watts, process in zip(watts, processes, strict=False)]
    first = processes[0]
    return {
        "peak_memory_mb": _rounded(_most(processes, "peak_memory_mb"), 1),
        "reserved_memory_mb": _rounded(_most(processes, "reserved_memory_mb"), 1),
        "device_memory_mb": _rounded(_most(processes, "device_memory_mb"), 1),
        "host_memory_mb": round(max(_of_hosts(processes)), 1),
        "utilisation": _rounded(sum(busy) / len(busy) if busy else None, 4),
        "power_w": _rounded(sum(watts) if watts else None, 1),
        "energy_wh": _rounded(sum(energy) / JOULES_PER_WATT_HOUR if energy else None, 3),
        "data_wait_share": _rounded(_most(processes, "wait_share"), 4),
        "step_seconds": {name: _rounded(first[name], 7) for name in ("median", "p90")},
    }


def system_metrics(usage: Mapping[str, Any]) -> dict[str, float]:
    """What is known, by names that MLflow shows as system metrics."""
    step = usage["step_seconds"]
    metrics = {
        "system/peak_memory_megabytes": usage["peak_memory_mb"],
        "system/peak_reserved_memory_megabytes": usage["reserved_memory_mb"],
        "system/peak_host_memory_megabytes": usage["host_memory_mb"],
        "system/gpu_utilization_percentage": _percent(usage["utilisation"]),
        "system/gpu_power_usage_watts": usage["power_w"],
        "system/gpu_energy_watt_hours": usage["energy_wh"],
        "system/data_wait_percentage": _percent(usage["data_wait_share"]),
        "system/step_seconds_median": step["median"],
        "system/step_seconds_p90": step["p90"],
    }
    return {name: value for name, value in metrics.items() if value is not None}


def _all(values: Iterable[float | None]) -> list[float]:
    """The values when all are known; of some alone no sum could be told."""
    found = list(values)
    return [] if None in found else found


def _most(processes: Sequence[Mapping[str, Any]], name: str) -> float | None:
    return max((process[name] for process in processes if process[name] is not None), default=None)


def _of_hosts(processes: Sequence[Mapping[str, Any]]) -> Iterable[float]:
    """Memory of the processes of each machine together."""
    hosts: dict[str, float] = defaultdict(float)
    for process in processes:
        hosts[process["host"]] += process["host_memory_mb"]
    return hosts.values()


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 2)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
