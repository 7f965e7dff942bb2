"""PBS Professional and OpenPBS."""

import getpass
from argparse import ArgumentParser, Namespace

from schedulers.job import Job

QUEUE = ["qselect", "-u", getpass.getuser()]
CANCEL = ["qdel"]
LONGEST_NAME = 15  # of a job, in older releases


def options(parser: ArgumentParser) -> None:
    """What a site may have to say."""
    parser.add_argument("--gpu", default="ngpus", help="what a GPU is called in a select statement")
    parser.add_argument("--gpu-model", help="what the model of a GPU is called there")


def submission(job: Job, site: Namespace) -> list[str]:
    """What takes the job's script on its stdin."""
    job.on_one_node("PBS")
    chunk = ["select=1", f"ncpus={job.threads}"]
    if job.memory_mb:
        chunk.append(f"mem={job.memory_mb}mb")
    if job.gpus:
        chunk.append(f"{site.gpu}={job.gpus}")
    chunk += job.wanted_model(site.gpu_model)
    # -r n: a job that starts twice would be two for Snakemake, which does that itself
    command = ["qsub", "-V", "-r", "n", "-N", job.name[:LONGEST_NAME], "-j", "oe", "-o", str(job.log)]
    command += ["-l", ":".join(chunk)]
    if job.minutes:
        command += ["-l", f"walltime={job.minutes // 60:02}:{job.minutes % 60:02}:00"]
    for flag, value in {"-q": job.slurm_partition, "-P": job.project, "-A": job.account}.items():
        command += [flag, value] if value else []
    return command + job.extra_options


def number(said: str) -> str:
    """The job's number, from what the submission said."""
    return said.split()[-1]


def waiting(said: str) -> set[str]:
    """The numbers in the queue's list."""
    return set(said.split())


def stuck(said: str) -> set[str]:
    """None that the list would show."""
    return set()
