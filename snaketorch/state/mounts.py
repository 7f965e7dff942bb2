"""What the mount of a folder says of its file system and of its locks."""

from pathlib import Path
from typing import NamedTuple

_LOCAL = {
    "nfs": {"nolock", "local_lock=all", "local_lock=flock"},
    "nfs4": {"nolock", "local_lock=all", "local_lock=flock"},
    "lustre": {"localflock"},
}
"""By type of file system: options under which ``flock`` succeeds, and other machines know nothing of it."""
_MOUNTS = Path("/proc/self/mountinfo")


class Mount(NamedTuple):
    """Where a folder's files are."""

    kind: str
    """Type of the file system; empty where that cannot be read."""
    options: frozenset[str]


def mount_of(folder: Path, mountinfo: Path = _MOUNTS) -> Mount:
    """The mount that ``folder`` lies in."""
    found, longest = Mount("", frozenset()), -1
    try:
        lines = mountinfo.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return found
    folder = folder.resolve()
    for line in lines:
        # 36 35 98:0 /root /mount/point rw,noatime shared:1 - nfs4 server:/export rw,local_lock=none
        before, _, after = line.partition(" - ")
        fields, source = before.split(" "), after.split(" ")
        if len(fields) < 6 or len(source) < 3:
            continue
        point = Path(fields[4].replace(r"\040", " "))
        if folder.is_relative_to(point) and len(point.parts) >= longest:  # a later mount lies above an earlier one
            longest = len(point.parts)
            found = Mount(source[0], frozenset({*fields[5].split(","), *source[2].split(",")}))
    return found


def locks_are_local(folder: Path, mountinfo: Path = _MOUNTS) -> bool:
    """Whether a lock in ``folder`` holds on this machine only, though others see the folder too."""
    mount = mount_of(folder, mountinfo)
    return bool(_LOCAL.get(mount.kind, set()) & mount.options)
