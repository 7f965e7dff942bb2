"""What a job needs of the machine that runs it."""

from typing import Annotated

from pydantic import Field

from snaketorch.config.base import Positive, Section

Gpus = Annotated[int, Field(ge=0, le=1)]
Gibibytes = Annotated[float, Field(gt=0)]
Hours = Annotated[float, Field(gt=0, le=720)]


class Resources(Section):
    """What one training job needs; becomes Snakemake's resources and, on a cluster, the job's request."""

    gpus: Gpus = 0
    """GPUs. 0 does not forbid one: `trainer.accelerator: auto` takes what the job sees."""
    cpus: Positive = 1
    """CPU cores."""
    memory_gb: Gibibytes = 4.0
    """Host memory in GiB, of the first attempt."""
    hours: Hours = 1.0
    """Wall time, of the first attempt."""


class PrepareResources(Section):
    """What the preparation needs; becomes its job's request, as an experiment's; an edit prepares nothing anew."""

    gpus: Gpus = 0
    """GPUs. 0 does not forbid one: `prepare.decoder` takes what the job sees."""
    cpus: Positive = 4
    """CPU cores: as many files are read at once."""
    memory_gb: Gibibytes = 4.0
    """Host memory in GiB, of the first attempt."""
    hours: Hours = 1.0
    """Wall time, of the first attempt."""
