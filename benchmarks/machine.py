"""The machine and the versions that a figure was taken with."""

import os
import platform
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from snaketorch.provenance import versions


def described(packages: Iterable[str]) -> str:
    """A line for the head of a table of results."""
    used = ", ".join(f"{name} {version}" for name, version in versions(packages).items())
    return f"{_cpu()}, {len(os.sched_getaffinity(0))} cores; {used}; {date.today().isoformat()}"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), platform.machine())
