"""Where a result comes from: digests, versions, the state of the code, the machine."""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from snaketorch import __version__


def canonical_json(value: Any) -> str:
    """The one JSON text of ``value``: keys sorted, no spaces, no NaN. ValueError for NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)


def digest(value: Any) -> str:
    """16 hexadecimal digits that stand for a JSON value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Python's version, this package's, and those of the named distributions that are installed."""
    found = {"python": platform.python_version(), "snaketorch": __version__}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit of the checkout around ``folder``, and whether files in the folder differ from it or are new.

    None where there is no checkout.
    """

    def git(*arguments: str) -> str:
        # no locks: the user may be committing, and other jobs ask too
        command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "--", "."))}
    except (OSError, subprocess.SubprocessError):
        return None


def host() -> dict[str, Any]:
    """The machine and, on a cluster, the job that runs on it."""
    found = {"name": platform.node(), "system": platform.system(), "machine": platform.machine()}
    job = {key: os.environ[key] for key in ("SLURM_JOB_ID", "SLURM_CLUSTER_NAME") if key in os.environ}
    return found | ({"slurm": job} if job else {})
