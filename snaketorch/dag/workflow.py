"""The questions that rules ask of a study."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from snaketorch import layout
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.load import Study
from snaketorch.dag import resources
from snaketorch.dag.questions.base import Wildcards
from snaketorch.dag.questions.data import DataQuestions
from snaketorch.dag.questions.planning import PlanQuestions
from snaketorch.dag.questions.prediction import PredictionQuestions
from snaketorch.dag.questions.registry import RegistryQuestions
from snaketorch.dag.questions.report import ReportQuestions
from snaketorch.dag.questions.sweeps import SweepQuestions
from snaketorch.dag.questions.training import TrainingQuestions


class Workflow(
    DataQuestions,
    SweepQuestions,
    PlanQuestions,
    TrainingQuestions,
    PredictionQuestions,
    RegistryQuestions,
    ReportQuestions,
):
    """Answers for each job: its spec, its code, its resources; and which files there are to make.

    Every ``*_spec`` is canonical JSON of exactly what its step depends on, every ``*_code`` a digest of
    the modules that the step runs; Snakemake runs a job again when one of them changes.
    """

    def __init__(self, study: Study, defaults: Mapping[str, resources.Default] | None = None):
        """``defaults`` are the resources that Snakemake's profile gives to every job."""
        super().__init__(study)
        asks = partial(resources.Requests, defaults=defaults or {})
        self.prepare = asks(lambda wildcards: resources.of_preparation(study.datasets[wildcards.dataset]))
        self.train = asks(lambda wildcards: resources.of_training(*self._with_plan(wildcards)))
        self.tune = asks(lambda wildcards: resources.of_sweep(self.trained[wildcards.experiment]))
        self.evaluate = asks(lambda wildcards: resources.of_test(*self._with_plan(wildcards)))
        self.predict = self.evaluate

    def _with_plan(self, wildcards: Wildcards) -> tuple[ExperimentConfig, Path]:
        name = wildcards.experiment
        return self.trained[name], Path(layout.PLAN.format(experiment=name))

    def of_seeds(self, pattern: str) -> Any:
        """A function that gives the files ``pattern`` of all seeds of an experiment."""

        def files(wildcards: Wildcards) -> list[str]:
            seeds = self.trained[wildcards.experiment].seeds
            return [pattern.format(experiment=wildcards.experiment, seed=seed) for seed in seeds]

        return files

    def attempt(self, wildcards: Wildcards, attempt: int) -> int:
        """Which attempt at the job this is, from 1; the step is told, which knows why the last one failed."""
        return attempt

    def files(self, *patterns: str) -> list[str]:
        """Every file that ``patterns`` of ``snaketorch.layout`` stand for in this study."""
        return [file for pattern in patterns for file in self._expand(pattern)]

    def _expand(self, pattern: str) -> Iterator[str]:
        if "{dataset}" in pattern:
            yield from (pattern.format(dataset=name) for name in self.datasets)
        elif "{seed}" in pattern:
            for name in self.experiments:
                for seed in self.study.experiments[name].seeds:
                    yield pattern.format(experiment=name, seed=seed)
        elif "{experiment}" in pattern:
            yield from (pattern.format(experiment=name) for name in self.experiments)
        else:
            yield pattern
