"""How a whole study stands: datasets, trainings with their tests, summaries, the page."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from snaketorch import layout
from snaketorch.config.problems import did_you_mean, listed
from snaketorch.dag.workflow import Workflow
from snaketorch.errors import UserError
from snaketorch.freshness import Now, Sha256, outdated_page, outdated_summary, page_is_made_from
from snaketorch.status.comparison import compared
from snaketorch.status.datasets import Datasets
from snaketorch.status.jobs import at_work, ended_badly, job_of
from snaketorch.status.outcome import Outcome, State
from snaketorch.status.trainings import Trainings


@dataclass(frozen=True)
class Seed:
    """One training and its test."""

    seed: int
    training: Outcome
    test: Outcome | None
    """None for an experiment that only trains, for others."""
    result: tuple[str, float | None] | None
    """Name and value of the metric that ranks, of a test that is up to date."""

    @property
    def state(self) -> State:
        """Of both together."""
        return self.training.state if self.test is None or not self.training.is_done else self.test.state


@dataclass(frozen=True)
class Experiment:
    """An experiment over its seeds."""

    name: str
    seeds: list[Seed]
    summary: Outcome | None
    """None for an experiment that only trains, for others."""
    sweep: Outcome | None = None
    """None for an experiment without one."""


@dataclass(frozen=True)
class StudyStatus:
    """All that is known."""

    name: str
    datasets: dict[str, Outcome]
    experiments: list[Experiment]
    page: Outcome | None
    """None where only some experiments were asked for."""

    @property
    def counts(self) -> Counter[State]:
        """Trainings, with their tests, by state."""
        return Counter(seed.state for experiment in self.experiments for seed in experiment.seeds)

    @property
    def outcomes(self) -> list[Outcome]:
        """Of every job."""
        seeds = [seed for experiment in self.experiments for seed in experiment.seeds]
        of_seeds = [outcome for seed in seeds for outcome in (seed.training, seed.test)]
        of_all = [outcome for experiment in self.experiments for outcome in (experiment.sweep, experiment.summary)]
        return [outcome for outcome in (*self.datasets.values(), *of_seeds, *of_all, self.page) if outcome]


def survey(workflow: Workflow, names: Sequence[str], sha256: Sha256, verify: bool = False) -> StudyStatus:
    """How the study stands, or the experiments ``names`` of it when there are any. UserError for unknown names."""
    check_names(workflow, names)
    chosen = [name for name in workflow.trained if name in names] if names else list(workflow.trained)
    datasets = Datasets(workflow, sha256, verify)
    trainings = Trainings(workflow, datasets, sha256)
    experiments = [_experiment(workflow, name, trainings, sha256) for name in chosen]
    used = sorted({workflow.trained[name].data for name in chosen})
    return StudyStatus(
        workflow.study.config.study,
        {name: datasets.outcome(name) for name in used},
        experiments,
        None if names else _page(workflow, experiments, sha256),
    )


def check_names(workflow: Workflow, names: Sequence[str]) -> None:
    """UserError unless all ``names`` are of experiments that run."""
    known = sorted(workflow.trained)
    for name in names:
        if name not in known:
            raise UserError(f"no experiment is called '{name}'; allowed: {listed(known)}{did_you_mean(name, known)}")


def _experiment(workflow: Workflow, name: str, trainings: Trainings, sha256: Sha256) -> Experiment:
    is_only_needed = name in workflow.study.needed
    seeds = []
    for seed in workflow.trained[name].seeds:
        test = None if is_only_needed else trainings.test(name, seed)
        seeds.append(Seed(seed, trainings.training(name, seed), test, _result(name, seed, test)))
    summary = None if is_only_needed else _summary(workflow, name, seeds, sha256)
    return Experiment(name, seeds, summary, trainings.sweeps.outcome(name))


def _result(name: str, seed: int, test: Outcome | None) -> tuple[str, float | None] | None:
    if test is None or not test.is_done:
        return None
    metrics = json.loads(Path(layout.METRICS.format(experiment=name, seed=seed)).read_text("utf-8"))
    return metrics["goal"], metrics["metrics"].get(metrics["goal"])


def _summary(workflow: Workflow, name: str, seeds: Sequence[Seed], sha256: Sha256) -> Outcome:
    asked = SimpleNamespace(experiment=name)
    spec, code = json.loads(workflow.summarise_spec(asked)), workflow.summarise_code(asked)
    job = job_of("summarise", spec, code)
    path = Path(layout.SUMMARY.format(experiment=name))
    if someone := at_work(job):
        return someone
    if not path.exists():
        return ended_badly(job) or Outcome(State.WAITING)
    behind = tuple(f"seed {seed.seed} is {seed.state}" for seed in seeds if seed.state is not State.DONE)
    return compared(path, lambda content: outdated_summary(path, content, Now(spec, code), sha256), behind)


def _page(workflow: Workflow, experiments: Sequence[Experiment], sha256: Sha256) -> Outcome:
    spec, code = json.loads(workflow.report_spec(SimpleNamespace())), workflow.report_code(SimpleNamespace())
    job = job_of("report", spec, code)
    path = Path(layout.REPORT)
    if someone := at_work(job):
        return someone
    if not path.exists():
        return ended_badly(job) or Outcome(State.WAITING)
    summarised = [experiment for experiment in experiments if experiment.summary]
    behind = [f"{x.name}: the summary is {x.summary.state}" for x in summarised if not x.summary.is_done]
    if not behind:
        summaries = {x.name: Path(layout.SUMMARY.format(experiment=x.name)) for x in summarised}
        made_from = page_is_made_from(spec, code, summaries, sha256)
        behind = [f"it {problem.why}" for problem in outdated_page(path, made_from)]
    return Outcome(State.STALE if behind else State.DONE, tuple(behind))
