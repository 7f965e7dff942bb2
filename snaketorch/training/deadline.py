"""When the time of a job is over."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from snaketorch import parent
from snaketorch.state.batch_job import batch_job

ENFORCE = "SNAKETORCH_ENFORCE_RUNTIME"
LEAST_MARGIN_SECONDS = 30.0
SAVES_IN_MARGIN = 3
LARGEST_MARGIN = 0.1  # of all the time

_imported = time.time()


@dataclass(frozen=True)
class Deadline:
    """The time that a job has; times in seconds since 1970."""

    start: float
    end: float
    enforced: bool
    """Whether somebody ends the job then; on a workstation nobody does."""
    clock: Callable[[], float] = time.time

    @property
    def total(self) -> float:
        """Seconds that there were at the start of the job."""
        return self.end - self.start

    @property
    def left(self) -> float:
        """Seconds; negative when the time is over."""
        return self.end - self.clock()

    def margin(self, save_seconds: float) -> float:
        """How long before the end a training saves itself, when a checkpoint takes ``save_seconds``."""
        return min(max(LEAST_MARGIN_SECONDS, SAVES_IN_MARGIN * save_seconds), LARGEST_MARGIN * self.total)


def deadline_of_job(minutes: float | None, environment: Mapping[str, str] = os.environ) -> Deadline | None:
    """The deadline of this process, which may take ``minutes`` in all; None when nothing limits it.

    In a batch job somebody enforces it; Slurm says itself when that job ends.
    """
    start, job_end = process_start(), environment.get("SLURM_JOB_END_TIME", "")
    if job_end.isdigit() and "SLURM_JOB_ID" in environment:
        return Deadline(start, max(start, float(job_end)), enforced=True)
    if minutes is None:
        return None
    return Deadline(start, start + 60 * minutes, bool(batch_job(environment)) or environment.get(ENFORCE) == "1")


def process_start() -> float:
    """When this process started, in seconds since 1970: its imports are part of its time."""
    ticks = parent.start_time(os.getpid())
    if ticks is None or not hasattr(time, "CLOCK_BOOTTIME"):
        return _imported
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(ticks) / os.sysconf("SC_CLK_TCK")
    return min(_imported, time.time() - age)
