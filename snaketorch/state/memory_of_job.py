"""What the system says of this job's host memory: how much it may use, and whom it ended for want of it."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
MIB = 2**20


def memory_limit_mb(environment: Mapping[str, str] = os.environ) -> float | None:
    """The most that this job may use, in MiB; None when nothing limits it but the machine."""
    limits = [float(environment["SLURM_MEM_PER_NODE"])] if environment.get("SLURM_MEM_PER_NODE", "").isdigit() else []
    for name in ("memory.max", "memory.limit_in_bytes"):
        for folder in _groups():
            text = _read(folder / name).strip()
            if text.isdigit() and int(text) < 2**60:  # a number without meaning stands for no limit
                limits.append(int(text) / MIB)
    return min(limits, default=None)


def oom_kills() -> tuple[str, int] | None:
    """How many processes the system ended for want of memory: where that was counted, and the number.

    In the control group of this job, if it has one, else on the whole machine. None where nobody counts.
    """
    places = [folder / name for folder in _groups() for name in ("memory.events", "memory.oom_control")]
    for path in (*places, Path("/proc/vmstat")):
        if found := re.search(r"^oom_kill (\d+)$", _read(path), re.MULTILINE):
            return str(path), int(found[1])
    return None


def _groups() -> Iterator[Path]:
    """The control groups that this process is in, from its own upwards, where their files can be seen."""
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        _, controllers, name = line.split(":", 2)
        if controllers in ("", "memory"):
            root = ROOT / controllers
            own = root / name.lstrip("/")
            yield from (folder for folder in (own, *own.parents) if folder.is_relative_to(root) and folder.is_dir())


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""
