"""The CPU cores and the memory that this process may really use."""

import os
from collections.abc import Iterator
from pathlib import Path

from snaketorch.doctor.finding import Finding, ok, warn
from snaketorch.state.memory_of_job import memory_limit_mb

GIB = 2**30
LITTLE_MEMORY_GB = 4
_CGROUP = Path("/sys/fs/cgroup")


def look_at_machine(cgroup: Path = _CGROUP) -> Iterator[Finding]:
    """Findings about cores and memory."""
    yield _cores(cgroup)
    yield _memory()


def _cores(cgroup: Path) -> Finding:
    seen, quota = len(os.sched_getaffinity(0)), cpu_quota(cgroup)
    if quota is not None and quota < seen:
        whole = max(1, int(quota))
        advice = f"`snakemake -c{whole}`: with `cores: all` it would count {seen}, and each job would be slower"
        return warn("CPU cores", f"{seen}, of which the control group gives the time of {quota:g}", advice)
    return ok("CPU cores", f"{seen}")


def _memory() -> Finding:
    said = {name: amount for name, _, amount in map(_partition, _lines(Path("/proc/meminfo")))}
    total, free = (int(said.get(name, "0").split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    limit = memory_limit_mb()
    most = min(total, limit * 2**20) if limit and total else total or (limit or 0) * 2**20
    found = f"{most / GIB:.1f} GiB"
    if limit and limit * 2**20 < total:
        found += f", which the batch system or the control group allows, of {total / GIB:.1f} in the machine"
    found += f"; {free / GIB:.1f} GiB free now" if free else ""
    if most < LITTLE_MEMORY_GB * GIB:
        advice = f"`resources.memory_gb` is {LITTLE_MEMORY_GB} unless an experiment says less; run one job at a time"
        return warn("memory", found, advice)
    return ok("memory", found)


def cpu_quota(cgroup: Path = _CGROUP, own: Path = Path("/proc/self/cgroup")) -> float | None:
    """How many cores' time this process's control groups give; None when they give as much as there is."""
    quotas = []
    for line in _lines(own):
        _, controllers, name = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = cgroup / controllers
        group = root / name.lstrip("/")
        for folder in (group, *group.parents):
            if not folder.is_relative_to(root):
                break
            quotas += _quota(folder)
    return min(quotas, default=None)


def _quota(folder: Path) -> list[float]:
    second = _lines(folder / "cpu.max")  # version 2: "200000 100000", or "max 100000"
    if second and (words := second[0].split())[0] != "max":
        return [int(words[0]) / int(words[1])]
    first = [_lines(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period")]
    if all(first) and int(first[0][0]) > 0:
        return [int(first[0][0]) / int(first[1][0])]
    return []


def _partition(line: str) -> tuple[str, str, str]:
    return line.partition(":")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except OSError:
        return []
