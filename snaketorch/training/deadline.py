"""When the time of a job is over."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from snaketorch import parent
from snaketorch.state.batch_job import batch_job

ENFORCE = "SNAKETORCH_ENFORCE_RUNTIME"
LEAST_MARGIN_SECONDS = 30.0
SAVES_IN_MARGIN = 3
LARGEST_MARGIN = 0.1  # of all the time
ANSWER_SECONDS = 30.0  # that a busy controller may take

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

    In a batch job somebody enforces it. Slurm is asked itself: when the process starts, a part of its job's time has
    gone into starting it.
    """
    if times := _times_of_slurm_job(environment.get("SLURM_JOB_ID")):
        return Deadline(*times, enforced=True)
    if minutes is None:
        return None
    start = process_start()
    return Deadline(start, start + 60 * minutes, bool(batch_job(environment)) or environment.get(ENFORCE) == "1")


def _times_of_slurm_job(number: str | None) -> tuple[float, float] | None:
    """When a job started, and when it is ended; None where Slurm does not say."""
    if number is None:
        return None
    # not from the environment: Snakemake's job step takes these variables away
    command = ["squeue", "--noheader", "--format=%S|%e", f"--jobs={number}"]
    # local times would be ambiguous in the hour that a clock is put back by
    environment = {**os.environ, "TZ": "UTC0", "SLURM_TIME_FORMAT": "standard"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=True
        )
        start, end = (
            datetime.fromisoformat(said).replace(tzinfo=UTC).timestamp() for said in done.stdout.strip().split("|")
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return start, end


def process_start() -> float:
    """When this process started, in seconds since 1970: its imports are part of its time."""
    ticks = parent.start_time(os.getpid())
    if ticks is None or not hasattr(time, "CLOCK_BOOTTIME"):
        return _imported
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(ticks) / os.sysconf("SC_CLK_TCK")
    return min(_imported, time.time() - age)
