"""The working directory: whether results and state are safe there."""

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from snaketorch.doctor.finding import Finding, fail, ok, warn
from snaketorch.doctor.programs import python_environment
from snaketorch.errors import UserError
from snaketorch.state.mounts import locks_are_local, mount_of
from snaketorch.state.probe import probe_writable

GIB = 2**30
FULL_GB, LITTLE_GB = 0.5, 5.0
FEW_FILES = 10_000
SKEW_SECONDS = 1.0
NETWORK = {
    *("nfs", "nfs4", "lustre", "gpfs", "beegfs", "cifs", "smb3", "smbfs", "ceph", "afs", "panfs", "wekafs"),
    *("glusterfs", "ocfs2", "gfs2", "pvfs2", "9p", "virtiofs"),
}
"""File systems that several machines may see; and all of FUSE."""
ELSEWHERE = "work in a folder on another file system"


def look_at_folder(folder: Path) -> Iterator[Finding]:
    """Findings about a folder; files of other names come and go in it."""
    kind = mount_of(folder).kind
    try:
        probe_writable(folder)
    except (UserError, OSError) as error:
        why = (error.__cause__ or error).strerror if isinstance(error.__cause__ or error, OSError) else str(error)
        yield fail("writing", f"{folder} cannot be written to: {why}", ELSEWHERE)
        return
    yield ok("writing", f"{folder} is writable, on {kind or 'a file system of unknown type'}")
    yield _room(folder)
    probe = folder / f".snaketorch-doctor-{os.uname().nodename}-{os.getpid()}"
    probe.mkdir()
    try:
        yield _rename(probe)
        yield _locks(probe)
        yield _sqlite(probe, is_network(kind))
        yield _clock(probe)
    finally:
        shutil.rmtree(probe, ignore_errors=True)


def is_network(kind: str) -> bool:
    """Whether several machines may see a file system of this type."""
    return kind in NETWORK or kind.startswith("fuse")


def _room(folder: Path) -> Finding:
    free, files = shutil.disk_usage(folder).free, os.statvfs(folder)
    found = f"{free / GIB:,.1f} GiB free"
    if free < FULL_GB * GIB:
        return fail("free space", found, f"delete something, or {ELSEWHERE}")
    if free < LITTLE_GB * GIB:
        return warn("free space", found, "a training keeps two checkpoints and writes a third, see `checkpoint:`")
    if files.f_files and files.f_favail < FEW_FILES:
        return warn("free space", f"{found}, for {files.f_favail} more files", f"delete some, or {ELSEWHERE}")
    return ok("free space", found)


def _rename(folder: Path) -> Finding:
    old, new = folder / "old", folder / "new"
    old.write_text("old")
    new.write_text("new")
    os.replace(new, old)
    if old.read_text() == "new" and not new.exists():
        return ok("renaming", "a file takes another's place at once")
    return fail("renaming", "a renamed file did not take the other's place", ELSEWHERE)


def _locks(folder: Path) -> Finding:
    """Two processes, one lock."""
    path = folder / "lock"
    instead = "trainings use leases that they renew instead; the local MLflow store and GPU leases need locks"
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return warn("locks", f"there are none: {error.strerror}", f"{instead}. Mount with locks (Lustre: -o flock)")
        if _other(_TRY_LOCK, path) != _BUSY:
            return fail("locks", "two processes had the same lock at once", ELSEWHERE)
    if _other(_TRY_LOCK, path) != 0:
        return fail("locks", "a lock that was given back could not be had", ELSEWHERE)
    if locks_are_local(folder):
        found = "they hold on this machine only, as the options of the mount say"
        return warn("locks", found, f"between machines {instead}")
    return ok("locks", "a lock keeps a second process out")


def _sqlite(folder: Path, network: bool) -> Finding:
    path = folder / "store.db"
    about, server = "SQLite", "run an MLflow server (`mlflow server`) and name it by MLFLOW_TRACKING_URI"
    try:
        store = sqlite3.connect(path, isolation_level=None)
        store.execute("CREATE TABLE numbers (number)")
        store.execute("BEGIN IMMEDIATE")
        store.execute("INSERT INTO numbers VALUES (1)")
        kept_out = _other(_TRY_WRITE, path) == _BUSY
        store.execute("COMMIT")
        went_on = _other(_TRY_WRITE, path) == 0
        rows = store.execute("SELECT count(*) FROM numbers").fetchone()[0]
        store.close()
    except sqlite3.Error as error:
        return fail(about, f"a store does not work here: {error}", f"{ELSEWHERE}, or {server}")
    if not (kept_out and went_on and rows == 2):
        return fail(about, "two processes wrote to one store at once", f"{ELSEWHERE}, or {server}")
    if network:
        found = "works between processes of this machine; a network file system does not promise it between machines"
        return warn(about, found, f"fine where one machine runs all jobs; on a cluster {server}")
    return ok(about, "two processes take turns at a store")


def _clock(folder: Path) -> Finding:
    before = time.time()
    (folder / "now").write_text("now")
    written, after = (folder / "now").stat().st_mtime, time.time()
    ahead = written - min(max(written, before), after)  # a busy machine or disk takes its time to write
    now = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    if abs(ahead) > SKEW_SECONDS:
        found = f"{now}; the clock of the file system is {abs(ahead):.1f} s {'ahead' if ahead > 0 else 'behind'}"
        advice = "have this machine's clock set by NTP: Snakemake compares the times of files"
        return warn("clock", found, advice)
    return ok("clock", f"{now}, and the file system's is the same")


_BUSY = 3
_TRY_LOCK = f"""
import fcntl, sys
try:
    fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit({_BUSY})
"""
_TRY_WRITE = f"""
import sqlite3, sys
try:
    with sqlite3.connect(sys.argv[1], timeout=0) as store:
        store.execute("INSERT INTO numbers VALUES (2)")
except sqlite3.OperationalError as error:
    sys.exit({_BUSY} if "locked" in str(error) else str(error))
"""


def _other(program: str, path: Path) -> int:
    """The exit code of another process."""
    command = [sys.executable, "-S", "-c", program, str(path)]
    done = subprocess.run(command, capture_output=True, timeout=60, env=python_environment())
    return done.returncode
