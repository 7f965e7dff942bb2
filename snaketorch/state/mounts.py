"""What the mount of a folder says of its locks."""

from pathlib import Path

_LOCAL = {
    "nfs": {"nolock", "local_lock=all", "local_lock=flock"},
    "nfs4": {"nolock", "local_lock=all", "local_lock=flock"},
    "lustre": {"localflock"},
}
"""By type of file system: options under which ``flock`` succeeds, and other machines know nothing of it."""


def locks_are_local(folder: Path, mountinfo: Path = Path("/proc/self/mountinfo")) -> bool:
    """Whether a lock in ``folder`` holds on this machine only, though others see the folder too."""
    try:
        lines = mountinfo.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return False
    folder, kind, options, longest = folder.resolve(), "", set(), -1
    for line in lines:
        # 36 35 98:0 /root /mount/point rw,noatime shared:1 - nfs4 server:/export rw,local_lock=none
        before, _, after = line.partition(" - ")
        fields, source = before.split(" "), after.split(" ")
        if len(fields) < 6 or len(source) < 3:
            continue
        point = Path(fields[4].replace(r"\040", " "))
        if folder.is_relative_to(point) and len(point.parts) >= longest:  # a later mount lies above an earlier one
            longest, kind = len(point.parts), source[0]
            options = {*fields[5].split(","), *source[2].split(",")}
    return bool(_LOCAL.get(kind, set()) & options)
