"""How each training and each test stands."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from snaketorch import layout
from snaketorch.dag.workflow import Workflow
from snaketorch.freshness import (
    Now,
    Outdated,
    Sha256,
    outdated_test,
    outdated_training,
    read_json,
)
from snaketorch.state.checkpoints import CHECKPOINTS, read_manifest
from snaketorch.state.identity import training_digest
from snaketorch.state.lock import holder
from snaketorch.state.progress import read_progress
from snaketorch.status.comparison import compared
from snaketorch.status.datasets import Datasets
from snaketorch.status.jobs import at_work, ended_badly, job_of
from snaketorch.status.outcome import Outcome, State
from snaketorch.status.steps import tuned_spec
from snaketorch.status.sweeps import Sweeps

OF_A_TRAINING = (layout.MODEL, layout.HISTORY, layout.SAMPLES)
OF_A_TEST = (layout.PREDICTIONS, layout.FIGURES)


class Trainings:
    """Asks the folders of results and of live state, and compares them with the configuration."""

    def __init__(self, workflow: Workflow, datasets: Datasets, sha256: Sha256):
        self.workflow, self.datasets, self.sha256 = workflow, datasets, sha256
        self.training, self.test = cache(self._training), cache(self._test)
        self.sweeps = Sweeps(workflow, datasets, sha256, self._behind)
        self.makers = {
            layout.MODEL.format(experiment=name, seed=seed): (name, seed)
            for name, experiment in workflow.trained.items()
            for seed in experiment.seeds
        }

    def _training(self, name: str, seed: int) -> Outcome:
        asked = SimpleNamespace(experiment=name, seed=seed)
        uses = self.workflow.train_models(asked)
        spec, code = json.loads(self.workflow.train_spec(asked)), self.workflow.train_code(asked)
        job = job_of("train", spec, code, uses)
        state = Path(layout.TRAIN_STATE.format(experiment=name, seed=seed))
        for folder in sorted(path.parent for path in state.glob("*/lock")):
            if who := holder(folder):
                return Outcome(State.RUNNING, holder=str(who), progress=read_progress(folder))
        if someone := at_work(job):
            return someone

        behind = (*self._behind(name, uses), *self._behind_sweep(name))
        spec = json.loads(tuned_spec(self.workflow, asked))
        data = self.datasets.digest(self.workflow.trained[name].data)
        models = {need: self.sha256(Path(path)) for need, path in uses.items() if Path(path).is_file()}
        path = Path(layout.RECORD.format(experiment=name, seed=seed))
        if path.exists():
            now = Now(spec, code, data, models)
            gone = _missing(OF_A_TRAINING, asked)
            return compared(path, lambda record: outdated_training(path, record, now, self.sha256), behind, gone)
        # while something before it is not done it is not known which of the state folders will be its own
        own = None if behind or data is None else state / training_digest(spec, code, data, models)
        place = _where_it_goes_on(own) if own and own.is_dir() else ()
        if end := ended_badly(job):
            return Outcome(end.state, place, failure=end.failure)
        others = _of_other_settings(state, own)
        return Outcome(State.INTERRUPTED, place) if place else Outcome(State.WAITING, (*behind, *others))

    def _behind_sweep(self, name: str) -> Iterator[str]:
        """Whether the sweep that it takes its values from is not done, or another one."""
        sweep = self.sweeps.outcome(name)
        if sweep and not sweep.is_done:
            yield f"its sweep is {'out of date' if sweep.state is State.STALE else 'not done'}"

    def _test(self, name: str, seed: int) -> Outcome:
        asked = SimpleNamespace(experiment=name, seed=seed)
        uses = self.workflow.evaluate_models(asked)
        spec, code = json.loads(self.workflow.evaluate_spec(asked)), self.workflow.evaluate_code(asked)
        job = job_of("evaluate", spec, code, uses)
        if someone := at_work(job):
            return someone
        path = Path(layout.METRICS.format(experiment=name, seed=seed))
        record = Path(layout.RECORD.format(experiment=name, seed=seed))
        behind = () if self.training(name, seed).is_done else ("its training is not up to date",)
        if not path.exists() or not record.exists():
            return ended_badly(job) or Outcome(State.WAITING, behind)
        models = {need: self.sha256(Path(file)) for need, file in uses.items() if Path(file).is_file()}
        now = Now(spec, code, models=models)

        def outdated(metrics: dict[str, Any]) -> Iterator[Outdated]:
            return outdated_test(path, metrics, read_json(record)[0], now, self.sha256)

        return compared(path, outdated, (*behind, *self._behind(name, uses)), _missing(OF_A_TEST, asked))

    def _behind(self, name: str, uses: Mapping[str, str]) -> Iterator[str]:
        """What must be made before a training or its test, and is not there or not up to date."""
        data = self.workflow.trained[name].data
        if not self.datasets.outcome(data).is_done:
            yield f"the dataset {data} is {self.datasets.outcome(data).state}"
        for path in uses.values():
            if maker := self.makers.get(path):
                outcome = self.training(*maker)
                if not outcome.is_done:
                    yield f"the model of {maker[0]}, seed {maker[1]}, is {outcome.state}"
            elif not Path(path).is_file():
                yield f"{path} is missing"


def _missing(patterns: tuple[str, ...], asked: SimpleNamespace) -> tuple[str, ...]:
    paths = [Path(pattern.format(experiment=asked.experiment, seed=asked.seed)) for pattern in patterns]
    return tuple(f"{path.name} is missing" for path in paths if not path.exists())


def _where_it_goes_on(folder: Path) -> tuple[str, ...]:
    """From which point a training with this state folder goes on."""
    for entry in reversed(read_manifest(folder) or []):
        path = folder / entry.file
        if path.is_file() and path.stat().st_size == entry.bytes:
            progress = read_progress(folder)
            if progress is None:
                return (f"goes on after epoch {entry.epoch}",)
            batch = entry.batches - entry.epoch * progress.batches
            inside = f", batch {batch} of {progress.batches} of the next" if batch else ""
            return (f"goes on after epoch {entry.epoch} of {progress.max_epochs}{inside}",)
    if any(folder.glob(CHECKPOINTS)):
        return ("none of its checkpoints can be used: put whole files back, or `python -m snaketorch start-over`",)
    return ("begins anew: there was no checkpoint yet",)


def _of_other_settings(state: Path, own: Path | None) -> tuple[str, ...]:
    """Whether unfinished trainings of the seed with other settings, data or code have left what they did."""
    others = [path.parent for path in sorted(state.glob("*/checkpoints.json")) if path.parent != own]
    return tuple(f"an unfinished training of other settings, data or code is in {folder}" for folder in others)
