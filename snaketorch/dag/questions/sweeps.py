"""What rules ask of sweeps."""

from collections.abc import Iterable
from typing import Any

from snaketorch import layout
from snaketorch.config import specs
from snaketorch.dag.code import ROOT
from snaketorch.dag.questions.answers import OF_THE_TEST, as_arguments, spec_json, step_code
from snaketorch.dag.questions.base import Questions, Wildcards


class SweepQuestions(Questions):
    """Of sweeps, and of the trainings that follow them."""

    @property
    def sweeps(self) -> list[str]:
        """Every output of the sweeps of the study."""
        tuned = [name for name in self.experiments if self.study.experiments[name].tune]
        return [pattern.format(experiment=name) for name in tuned for pattern in layout.OF_A_SWEEP]

    def tune_spec(self, wildcards: Wildcards) -> str:
        name = wildcards.experiment
        experiment = self.trained[name]
        values = {**dict(experiment), "task": experiment.task.for_training}
        return spec_json(specs.TuneSpec, {**values, "experiment": name, "seed": experiment.tune.seed})

    def tune_code(self, wildcards: Wildcards) -> str:
        task, networks, augments = self.sections(wildcards.experiment)
        # the step names these by text: it imports the one that it needs
        searches = [f"snaketorch.tuning.search.{path.stem}" for path in (ROOT / "tuning/search").glob("[!_]*.py")]
        return step_code("snaketorch.tuning.tune", task, *networks, *augments, without=OF_THE_TEST, also=searches)

    def tune_models(self, wildcards: Wildcards) -> dict[str, str]:
        """``train_models`` of the trials, which have the sweep's seed."""
        return self.models(wildcards.experiment, self.trained[wildcards.experiment].tune.seed)

    def tune_uses(self, wildcards: Wildcards) -> list[str]:
        """``tune_models`` as arguments of the step."""
        return as_arguments(self.tune_models(wildcards))

    def trials(self, question: str) -> Any:
        """A function that tells what the trials of a sweep take of their job; Snakemake takes no fractions."""

        def answer(wildcards: Wildcards) -> int | str:
            tune = self.trained[wildcards.experiment].tune
            asked = tune.resources_per_trial
            answers = {
                "at_once": tune.max_concurrent_trials or 0,
                "cpu": f"{asked.cpu:g}",
                "gpu": f"{asked.gpu:g}",
                "num_nodes": tune.num_nodes,
            }
            return answers[question]

        return answer

    def best_of(self, wildcards: Wildcards) -> list[str]:
        """The result of the sweep that a training takes its values from; nothing where there is none."""
        return self._bests_of([wildcards.experiment])

    def sweeps_before(self, wildcards: Wildcards) -> list[str]:
        """The results of the sweeps of all experiments whose models a job descends from.

        Once one of these is made anew, Snakemake looks again at the jobs that have it as an input, and not at those
        further down: they too must name it to be left alone when it says what it said before.
        """
        found: dict[str, None] = {}  # in a fixed order
        waiting = [wildcards.experiment]
        while waiting:
            experiment = self.trained[waiting.pop()]
            others = [*experiment.task.upstream.values(), *filter(None, [experiment.model.upstream])]
            waiting.extend(name for name in others if name not in found)
            found.update(dict.fromkeys(others))
        return self._bests_of(found)

    def _bests_of(self, names: Iterable[str]) -> list[str]:
        return [layout.BEST.format(experiment=name) for name in names if self.trained[name].tune]
