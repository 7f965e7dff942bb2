"""Resources that an experiment leaves to its plan."""

import json
from collections.abc import Collection
from pathlib import Path

from snaketorch.config.resources import TrainResources
from snaketorch.errors import UserError

WAITS_FOR = {
    "mem_mb": "memory_gb",
    "runtime": "hours",
    "gpu_model": "gpu_model",
    "slurm_partition": "gpu_model",
    "slurm_extra": "gpu_model",
}
"""Names of a job's resources, and the key that must be known for each."""


def settled(section: TrainResources, plan: Path | None, inputs: Collection[str] = ()) -> TrainResources:
    """The section with what ``plan`` says in place of each `auto`, and the defaults of the keys without a plan.

    Args:
        section: Of an experiment.
        plan: Its ``plan.json``, of which nothing is asked when None.
        inputs: Of the job. A test takes no plan as an input, and need not wait for one.

    Raises:
        FileNotFoundError: there is no plan yet, which is an input of the job: Snakemake shows `<TBD>`, and asks again
            when the job may start.
        UserError: the plan cannot be read.
    """
    chosen = _chosen(plan, inputs) if plan else {}
    fields = type(section).model_fields
    update = {key: chosen.get(key, fields[key].default if key != "gpu_model" else None) for key in section.auto}
    if "gpu_model" in section.auto and section.partition is None:
        update["partition"] = chosen.get("partition")
    return section.model_copy(update=update)


def _chosen(plan: Path, inputs: Collection[str]) -> dict:
    try:
        return json.loads(plan.read_text("utf-8"))["chosen"]
    except FileNotFoundError:
        if str(plan) in inputs:
            raise
        return {}
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{plan} is no plan: {error}; delete it, and snakemake makes it anew") from error
