"""The job of a batch system that this process runs in."""

import os
from collections.abc import Mapping
from typing import NamedTuple

_SYSTEMS = {
    "SLURM_JOB_ID": ("Slurm", "scancel"),
    "PBS_JOBID": ("PBS", "qdel"),
    "LSB_JOBID": ("LSF", "bkill"),
    "JOB_ID": ("Grid Engine", "qdel"),  # with SGE_TASK_ID: other systems set a JOB_ID too
}
"""By the variable that holds the number of a job: the system's name, and the command that ends a job."""


class BatchJob(NamedTuple):
    """A job of a batch system, which ends it when its time is over."""

    system: str
    number: str
    cancel: str
    """The command that ends it."""


def batch_job(environment: Mapping[str, str] = os.environ) -> BatchJob | None:
    """The batch job that ``environment`` speaks of; None on a workstation."""
    for variable, (system, cancel) in _SYSTEMS.items():
        if (number := environment.get(variable)) and (variable != "JOB_ID" or "SGE_TASK_ID" in environment):
            return BatchJob(system, number, f"{cancel} {number}")
    return None
