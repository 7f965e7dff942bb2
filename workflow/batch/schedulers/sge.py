"""Grid Engine: Sun's, Univa's, Altair's, Open and Son of."""

import getpass
import math
from argparse import ArgumentParser, Namespace

from schedulers.job import Job

QUEUE = ["qstat", "-u", getpass.getuser()]
CANCEL = ["qdel"]


def options(parser: ArgumentParser) -> None:
    """What a site may have to say."""
    parser.add_argument("--pe", default="smp", help="the parallel environment that keeps a job's slots on one host")
    parser.add_argument("--memory", default="h_vmem", help="what memory is called")
    parser.add_argument("--memory-of", choices=("slot", "job"), default="slot", help="what it is counted for")
    parser.add_argument("--gpu", default="gpu", help="what a GPU is called")
    parser.add_argument("--gpu-model", help="what the model of a GPU is called")


def submission(job: Job, site: Namespace) -> list[str]:
    """What takes the job's script on its stdin."""
    job.on_one_node("Grid Engine")
    slots = job.threads if site.memory_of == "slot" else 1
    asked = [f"{site.memory}={math.ceil(job.memory_mb / slots)}M"] if job.memory_mb else []
    asked += [f"h_rt={60 * job.minutes}"] if job.minutes else []
    asked += [f"{site.gpu}={job.gpus}"] if job.gpus else []
    asked += job.wanted_model(site.gpu_model)
    # -r n: a job that starts twice would be two for Snakemake, which does that itself
    command = ["qsub", "-terse", "-V", "-r", "n", "-S", "/bin/sh", "-N", job.name, "-j", "y", "-o", str(job.log)]
    command += ["-l", ",".join(asked)] if asked else []
    command += ["-pe", site.pe, str(job.threads)] if job.threads > 1 else []
    for flag, value in {"-q": job.slurm_partition, "-P": job.project}.items():
        command += [flag, value] if value else []
    return command + job.extra_options


def number(said: str) -> str:
    """The job's number, from what the submission said."""
    return said.split()[-1]


def waiting(said: str) -> set[str]:
    """The numbers in the queue's list."""
    return set(_states(said))


def stuck(said: str) -> set[str]:
    """Those in an error state, such as Eqw: they wait for an administrator."""
    return {job for job, state in _states(said).items() if "E" in state}


def _states(said: str) -> dict[str, str]:
    rows = [line.split() for line in said.splitlines()]
    return {row[0]: row[4] for row in rows if len(row) > 4 and row[0].isdigit()}
