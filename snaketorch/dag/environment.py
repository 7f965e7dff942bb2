"""What the workflow and every job find in their environment."""

import os
import shlex
from pathlib import Path

from snaketorch.config.study import StudyConfig
from snaketorch.parent import VARIABLE as PARENT


def variables(config: StudyConfig) -> dict[str, str]:
    """What steps read from the environment: settings that must not make a job run again."""
    found = {"SNAKETORCH_STUDY": config.study, "SNAKETORCH_TRACKING": "on" if config.tracking.enabled else "off"}
    return found | ({"SNAKETORCH_TRACKING_URI": config.tracking.uri} if config.tracking.uri else {})


def shell_prefix(package_root: Path, config: StudyConfig) -> str:
    """Bash commands that come before each job's own.

    The package is found by its path, since Snakemake removes an inherited PYTHONPATH from conda jobs.
    Nothing secret is written here: credentials stay in the environment that they came in.
    Braces are doubled, since Snakemake formats what it is given.
    """
    # a crash inside a library, such as a bus error, leaves the lines that led there in the log
    exported = {"PYTHONPATH": str(package_root), "PYTHONFAULTHANDLER": "1", **variables(config)}
    assignments = " ".join(f"{name}={shlex.quote(value)}" for name, value in exported.items())
    prefix = f"set -euo pipefail; export {assignments} {PARENT}=$PPID; "
    return prefix.replace("{", "{{").replace("}", "}}")


def put_first_on_path(folder: Path) -> None:
    """Has this process find the programs in ``folder`` before others of their names."""
    os.environ["PATH"] = os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])
