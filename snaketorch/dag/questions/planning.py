"""What rules ask of plans: what a training needs of a machine, told before it is submitted."""

import json
from functools import cached_property
from pathlib import Path

from snaketorch import layout
from snaketorch.config import specs
from snaketorch.config.best import Best
from snaketorch.config.gpu import Gpu
from snaketorch.config.gpus import catalogue
from snaketorch.config.gpus_to_plan import gpus_to_plan
from snaketorch.config.load import Study
from snaketorch.config.resources import AUTO
from snaketorch.dag.questions.answers import OF_THE_TEST, spec_json, step_code
from snaketorch.dag.questions.base import Wildcards
from snaketorch.dag.questions.training import TrainingQuestions
from snaketorch.errors import UserError
from snaketorch.provenance import digest


class PlanQuestions(TrainingQuestions):
    """Of plans, and of the trainings that ask for what theirs says."""

    def __init__(self, study: Study):
        super().__init__(study)
        if self.plans:
            self.gpus  # noqa: B018  # so that what is wrong with them is told before anything begins

    @cached_property
    def gpus(self) -> dict[str, Gpu]:
        """The catalogue with what the site says."""
        return catalogue(Path.cwd())

    @property
    def plans(self) -> list[str]:
        """The plans that trainings wait for, of experiments that others need too."""
        waiting = [name for name, experiment in self.trained.items() if experiment.resources.needs_plan]
        return [layout.PLAN.format(experiment=name) for name in sorted(waiting)]

    def plan_of(self, wildcards: Wildcards) -> list[str]:
        """The plan that a training waits for; nothing where it says all itself, or is done.

        Nothing of a training that is done may depend on a plan. Snakemake's `ancient` would not do: where a plan is
        made anew it keeps Snakemake from asking whether the training itself changed.
        """
        waits = self.trained[wildcards.experiment].resources.needs_plan and not self._is_trained(wildcards)
        return [layout.PLAN.format(experiment=wildcards.experiment)] if waits else []

    def _is_trained(self, wildcards: Wildcards) -> bool:
        """Whether there is a result of the present configuration and code, as far as its record tells."""
        record = Path(layout.RECORD.format(experiment=wildcards.experiment, seed=wildcards.seed))
        try:
            found = json.loads(record.read_text("utf-8"))
            return (found["spec_digest"], found["code_digest"]) == (
                self._spec_digest(wildcards),
                self.train_code(wildcards),
            )
        except (FileNotFoundError, UserError):  # the latter: the values of a sweep that is to be made anew do not fit
            return False
        except (OSError, ValueError, KeyError, TypeError):  # whether it will do is for others to say
            return True

    def _spec_digest(self, wildcards: Wildcards) -> str:
        """Of what a training's record should tell: with the values of a sweep, where there was one."""
        spec = self.train_spec(wildcards)
        best = Path(layout.BEST.format(experiment=wildcards.experiment))
        if self.trained[wildcards.experiment].tune and best.exists():
            tuned = Best.read(best).put_into(specs.TrainSpec.model_validate_json(spec))
            return digest(tuned.model_dump(mode="json"))
        return digest(json.loads(spec))

    def plan_spec(self, wildcards: Wildcards) -> str:
        experiment = self.trained[wildcards.experiment]
        is_of_cpu = experiment.trainer.accelerator == "cpu"
        gpus = [] if is_of_cpu else gpus_to_plan(self.gpus, experiment.resources)
        return self.plan_spec_for(wildcards.experiment, gpus)

    def plan_spec_for(self, name: str, gpus: list[Gpu]) -> str:
        """The spec of a plan that compares ``gpus``."""
        experiment = self.trained[name]
        resources = experiment.resources
        by_plan = AUTO if not resources.auto else None  # who plans without `auto` asks what it would be
        site = {
            "gpus_asked": resources.gpus,
            "cpus": resources.cpus,
            "gpu_model": resources.gpu_model or by_plan,
            "partition": resources.partition,
            "trainings": len(experiment.seeds),
            "strict": resources.strict,
            "gpus": gpus,
        }
        values = {**dict(experiment), "task": experiment.task.for_training, "experiment": name}
        return spec_json(
            specs.PlanSpec, {**values, "seed": experiment.seeds[0], "site": specs.Site.model_construct(**site)}
        )

    def plan_code(self, wildcards: Wildcards) -> str:
        task, networks, augments = self.sections(wildcards.experiment)
        return step_code("snaketorch.planning.step", task, *networks, *augments, without=OF_THE_TEST)
