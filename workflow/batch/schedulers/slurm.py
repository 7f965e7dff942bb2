"""Slurm by its sbatch alone: no accounting, no step of its own for each job."""

import shlex
from argparse import ArgumentParser, Namespace

from schedulers.job import Job

QUEUE = ["squeue", "--me", "--noheader", "--format=%A"]
CANCEL = ["scancel"]


def options(parser: ArgumentParser) -> None:
    """Nothing: what differs from site to site is a resource here."""


def submission(job: Job, site: Namespace) -> list[str]:
    """The names of resources are those of Snakemake's Slurm plugin."""
    nodes = 1 if job.is_group else job.nodes or 1  # a group's are counted together, and it runs on one
    asked = {
        "time": job.minutes,
        "mem": job.memory_mb,
        "nodes": nodes,
        "ntasks": job.tasks if nodes > 1 and job.tasks else 1,
        "cpus-per-task": job.threads if job.is_group else job.cpus_per_task or job.threads,
        "gpus": f"{job.gpu_model}:{job.gpus}" if job.gpu_model and job.gpus else job.gpus,
        "account": job.slurm_account,
        "partition": job.slurm_partition,
        "qos": job.qos,
        "constraint": job.constraint,
    }
    # a job that starts twice would be two for Snakemake, which does that itself
    command = ["sbatch", "--parsable", "--no-requeue", f"--job-name={job.name}", f"--output={job.log}"]
    command += [f"--{name}={value}" for name, value in asked.items() if value]
    return command + shlex.split(job.slurm_extra or "")


def number(said: str) -> str:
    """The job's number, from what the submission said."""
    return said.split()[-1].partition(";")[0]


def waiting(said: str) -> set[str]:
    """The numbers in the queue's list."""
    return set(said.split())


def stuck(said: str) -> set[str]:
    """None that the list would show."""
    return set()
