"""LSF."""

import math
import re
from argparse import ArgumentParser, Namespace

from schedulers.job import Job

QUEUE = ["bjobs", "-noheader", "-o", "jobid stat"]
CANCEL = ["bkill"]


def options(parser: ArgumentParser) -> None:
    """What a site may have to say."""
    parser.add_argument("--memory-of", choices=("slot", "job"), default="job", help="what memory is counted for")


def submission(job: Job, site: Namespace) -> list[str]:
    """What takes the job's script on its stdin."""
    job.on_one_node("LSF")
    slots = job.threads if site.memory_of == "slot" else 1
    needs = ["span[hosts=1]"]
    needs += [f"rusage[mem={math.ceil(job.memory_mb / slots)}MB]"] if job.memory_mb else []
    # -rn: a job that starts twice would be two for Snakemake, which does that itself
    command = ["bsub", "-rn", "-J", job.name, "-o", str(job.log), "-n", str(job.threads), "-R", " ".join(needs)]
    command += ["-W", str(job.minutes)] if job.minutes else []
    command += ["-gpu", ":".join([f"num={job.gpus}", *job.wanted_model("gmodel")])] if job.gpus else []
    for flag, value in {"-q": job.slurm_partition, "-P": job.project}.items():
        command += [flag, value] if value else []
    return command + job.extra_options


def number(said: str) -> str:
    """The job's number, from what the submission said."""
    return re.search(r"Job <(\d+)>", said)[1]


def waiting(said: str) -> set[str]:
    """Ended jobs are named too, for an hour."""
    rows = [line.split() for line in said.splitlines()]
    return {row[0] for row in rows if len(row) == 2 and row[1] not in ("DONE", "EXIT")}


def stuck(said: str) -> set[str]:
    """None that the list would show."""
    return set()
