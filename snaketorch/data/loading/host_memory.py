"""How much memory this process may still take on its machine."""

import os
from pathlib import Path

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")


def free_host_memory(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Bytes that can be taken without pushing anything out: of the machine, or of what its control groups allow.

    A container or a Slurm job often may take far less than the machine has.
    """
    return max(0, min(_of_machine(proc), *_of_groups(proc, cgroups)))


def _of_machine(proc: Path) -> int:
    try:
        lines = (proc / "meminfo").read_text().splitlines()
    except OSError:  # not Linux
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def _of_groups(proc: Path, cgroups: Path) -> list[int]:
    """What is left in each group that this process is in, and in the groups around it; both versions of cgroups."""
    try:
        lines = (proc / "self/cgroup").read_text().splitlines()
    except OSError:
        lines = []
    free = [2**63]
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root, names = cgroups, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            root = cgroups / "memory"
        else:
            continue
        group = root / path.strip("/")
        # inside a container the path can be one of the host's, of which only the root is seen
        for folder in [group, *group.parents]:
            if not folder.is_relative_to(root):
                break
            free += _left(folder, *names)
    return free


def _left(folder: Path, limit: str, usage: str, reclaimable: str) -> list[int]:
    try:
        most, used = (folder / limit).read_text().strip(), int((folder / usage).read_text())
        counts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except OSError:
        return []
    return [] if most == "max" else [int(most) - used + int(counts.get(reclaimable, 0))]
