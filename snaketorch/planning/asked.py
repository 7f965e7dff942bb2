"""What `python -m snaketorch plan` is asked for, from the configuration alone: mistakes are told within a second."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from snaketorch.config.best import Best
from snaketorch.config.gpu import Gpu
from snaketorch.config.gpus import catalogue
from snaketorch.config.gpus_to_plan import gpus_to_plan, named_gpus
from snaketorch.config.load import load_study
from snaketorch.config.problems import did_you_mean, listed
from snaketorch.config.specs import PlanSpec, PrepareSpec
from snaketorch.dag.workflow import Workflow
from snaketorch.errors import UserError
from snaketorch.layout import BEST


class Asked(NamedTuple):
    """One experiment, with its dataset."""

    spec: PlanSpec
    dataset: PrepareSpec


def asked(root: Path, names: Sequence[str], gpus: Sequence[str], every_gpu: bool) -> list[Asked]:
    """The experiments of the study in ``root`` that are to be planned.

    Args:
        root: The folder that holds ``config/``.
        names: Experiments; all that the study runs when empty.
        gpus: Names of the GPUs to compare; those of the site when empty.
        every_gpu: Compare all that the catalogue knows.

    Raises:
        UserError: an experiment or a GPU is unknown, or the configuration is wrong.
    """
    known = catalogue(root)
    named = list(known.values()) if every_gpu else named_gpus(gpus, known)
    workflow = Workflow(load_study(root))
    for name in names:
        if name not in workflow.trained:
            hint = did_you_mean(name, workflow.trained)
            raise UserError(f"there is no experiment '{name}'; allowed: {listed(workflow.trained)}{hint}")
    return [_asked(workflow, name, named, known, root) for name in names or workflow.experiments]


def _asked(workflow: Workflow, name: str, named: list[Gpu], known: dict[str, Gpu], root: Path) -> Asked:
    experiment = workflow.trained[name]
    is_of_cpu = experiment.trainer.accelerator == "cpu"
    gpus = named or ([] if is_of_cpu else gpus_to_plan(known, experiment.resources))
    spec = PlanSpec.model_validate_json(workflow.plan_spec_for(name, gpus))
    if experiment.tune and (best := root / BEST.format(experiment=name)).exists():
        spec = Best.read(best).put_into(spec)
    dataset = workflow.study.datasets[experiment.data]
    sections = {key: getattr(dataset, key) for key in ("source", "split", "prepare")}
    return Asked(spec, PrepareSpec(dataset=experiment.data, **sections))
