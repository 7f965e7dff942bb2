"""What all questions about a study share."""

from typing import Any, Protocol

from snaketorch import layout
from snaketorch.config.base import Section
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.load import Study
from snaketorch.config.tasks.base import TaskSection
from snaketorch.config.variants import variants
from snaketorch.dag.questions.answers import kinds_of


class Wildcards(Protocol):
    """What a job's output names."""

    dataset: str
    experiment: str
    seed: str


class Questions:
    """A study, and what is looked up of it again and again."""

    def __init__(self, study: Study):
        self.study = study
        self.datasets = study.used_datasets
        self.experiments = sorted(study.experiments)
        self.trained = {**study.experiments, **study.needed}
        self._source_digests: dict[str, str] = {}
        self._variants: dict[str, list[ExperimentConfig]] = {}

    @property
    def registered(self) -> list[str]:
        """The experiments whose model is for the registry."""
        return [name for name in self.experiments if self.study.experiments[name].register]

    @property
    def planned(self) -> list[str]:
        """The experiments of the study whose trainings wait for a plan."""
        return [name for name in self.experiments if self.study.experiments[name].resources.needs_plan]

    def sections(self, name: str) -> tuple[TaskSection, list[Section], list[Section]]:
        """The task of an experiment, and each kind of network and of augmentation that it may train."""
        if name not in self._variants:
            self._variants[name] = variants(self.trained[name])
        found = self._variants[name]
        return found[0].task, kinds_of(one.model for one in found), kinds_of(one.augment for one in found)

    def model_of(self, name: str, seed: int | None = None) -> str:
        """The model of an experiment: of ``seed`` where it has that, else of its first."""
        seeds = self.trained[name].seeds
        return layout.MODEL.format(experiment=name, seed=seed if seed in seeds else seeds[0])

    def models(self, name: str, seed: int) -> dict[str, str]:
        """The files of trained weights that a training starts from or uses, by what they are for."""
        model = self.trained[name].model
        start = self.model_of(model.upstream, seed) if model.upstream else model.weights_file
        return ({"pretrained": start} if start else {}) | self.models_of_task(name)

    def models_of_task(self, name: str) -> dict[str, str]:
        """The models of other experiments that the task uses, by what they are for."""
        return {need: self.model_of(other) for need, other in self.trained[name].task.upstream.items()}

    def job(self, wildcards: Wildcards) -> dict[str, Any]:
        """What specs of one training or test choose from."""
        experiment = self.trained[wildcards.experiment]
        return {"experiment": wildcards.experiment, "seed": int(wildcards.seed), **dict(experiment)}
