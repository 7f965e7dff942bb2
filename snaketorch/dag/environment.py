"""What every job finds in its shell."""

import shlex
from pathlib import Path

from snaketorch.config.study import StudyConfig
from snaketorch.parent import VARIABLE as PARENT


def shell_prefix(package_root: Path, config: StudyConfig) -> str:
    """Bash commands that come before each job's own.

    The package is found by its path, since Snakemake removes an inherited PYTHONPATH from conda jobs.
    What must not make a job run again, such as the tracking address, comes this way and not as a
    parameter. Nothing secret is written here: credentials stay in the environment they came in.
    """
    variables = {
        "PYTHONPATH": str(package_root),
        "SNAKETORCH_STUDY": config.study,
        "SNAKETORCH_TRACKING": "on" if config.tracking.enabled else "off",
    }
    if config.tracking.uri:
        variables["SNAKETORCH_TRACKING_URI"] = config.tracking.uri
    assignments = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    return f"set -euo pipefail; export {assignments} {PARENT}=$PPID; "
