"""Trainings and sweeps on several nodes, which a Snakemake that runs its jobs on one machine cannot start."""

import os
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

ENOUGH = ("SLURM_JOB_ID", "NODE_RANK")
"""Variables of those who have other nodes at hand: in a job of Slurm, or by hand."""

SECTIONS = {"train_model": "trainer", "tune_experiment": "tune"}
"""Where an experiment says how many nodes the jobs of a rule have."""


class Job(Protocol):
    """A job of Snakemake."""

    rule: Any
    wildcards: Any
    resources: Any


def refusal(jobs: Iterable[Job], is_local: bool, environment: Mapping[str, str] = os.environ) -> str:
    """What to say of jobs that are about to run; "" when each can.

    Args:
        jobs: Those that would run.
        is_local: Whether they would run on this machine.
        environment: Of this process.
    """
    if not is_local or any(name in environment for name in ENOUGH):
        return ""
    several = (job for job in jobs if (job.resources.get("nodes") or 1) > 1)
    found = {
        (job.wildcards.experiment, SECTIONS.get(job.rule.name, job.rule.name), job.resources.nodes) for job in several
    }
    lines = [f"  experiment {name}: {section}.num_nodes: {nodes}" for name, section, nodes in sorted(found)]
    if not lines:
        return ""
    return "\n".join(
        [
            "Several nodes need a cluster, and Snakemake would run its jobs on this machine:",
            *lines,
            "Allowed here: num_nodes: 1, with as many `devices` as there are; or `snakemake --profile profiles/slurm`.",
            "No job was started.",
        ]
    )
