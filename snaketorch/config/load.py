"""Reads a study: every file, every problem, once."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snaketorch import layout
from snaketorch.config import overrides as override
from snaketorch.config.check import Checked, check, check_datasets, check_experiments, upstream_parts
from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.document import Document
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.extend import extend_all
from snaketorch.config.files import read_folder
from snaketorch.config.matrix import expand_all
from snaketorch.config.own_modules import missing_module
from snaketorch.config.problems import ConfigError, Problem
from snaketorch.config.select import select
from snaketorch.config.siblings import siblings_of
from snaketorch.config.source_files import missing_files, missing_weights
from snaketorch.config.study import StudyConfig
from snaketorch.config.upstream import needed_by
from snaketorch.config.yaml_loader import read_yaml

STUDY_FILE = "config/config.yaml"
DATASETS = "config/datasets"
EXPERIMENTS = "config/experiments"


@dataclass(frozen=True)
class Study:
    """A valid study."""

    config: StudyConfig
    datasets: dict[str, DatasetConfig]
    """All of them, whether an experiment names them or not."""
    experiments: dict[str, ExperimentConfig]
    """Those that `run:` chooses."""
    needed: dict[str, ExperimentConfig]
    """Those that it does not choose and whose models the chosen ones need: they are trained, and no more."""
    siblings: dict[str, str] = field(default_factory=dict)
    """For each experiment with a sweep the one that it is compared with: the same without the sweep."""
    matrices: dict[str, list[str]] = field(default_factory=dict)
    """The chosen experiments that were made of one matrix, by the name of its file."""

    @property
    def used_datasets(self) -> list[str]:
        """The datasets that the experiments name, sorted."""
        return sorted({experiment.data for experiment in self.experiments.values()})


def load_study(root: Path, overrides: Mapping[str, Any] | None = None) -> Study:
    """Reads and checks the files under ``root / "config"``.

    Args:
        root: The folder that holds ``config/``.
        overrides: Snakemake's ``config``: keys of the study, and ``datasets`` and ``experiments``
            by name, put over the files and checked like them.

    Raises:
        ConfigError: with every problem of every file.
    """
    problems: list[Problem] = []
    study_file = read_yaml(root / STUDY_FILE, STUDY_FILE)
    problems.extend(study_file.problems)
    dataset_files = read_folder(root, DATASETS, problems)
    experiment_files = read_folder(root, EXPERIMENTS, problems)
    override.apply(overrides or {}, study_file, dataset_files, experiment_files, problems)
    expanded = expand_all(extend_all(experiment_files, problems), problems)
    experiment_files = expanded.documents

    study = check(StudyConfig, study_file, problems)
    datasets = check_datasets(dataset_files, problems)
    experiments = check_experiments(experiment_files, datasets, problems)
    selected = select(study_file, experiment_files, problems, expanded.families)
    needed = sorted(needed_by(selected, upstream_parts(experiment_files, experiments)))
    trained = {name: experiments[name] for name in (*selected, *needed)}
    used = {checked.section.data for checked in trained.values() if hasattr(checked.section, "data")}
    problems.extend(_missing_files(root, used, datasets, dataset_files))
    chosen_parts = {name: experiments[name] for name in selected}
    problems.extend(_missing_to_predict(root, chosen_parts, used, datasets, dataset_files))
    problems.extend(_missing_of_networks(root, trained, experiment_files))
    if problems:
        raise ConfigError(problems)

    could_run = {
        name: checked.section.resolved() for name, checked in experiments.items() if not checked.section.abstract
    }
    siblings, made, wrong = siblings_of(selected, could_run)
    if wrong:
        files = experiment_files
        raise ConfigError(
            Problem.at(files[name].position(path), path, message) for name, (path, message) in wrong.items()
        )
    chosen = sorted({*selected, *siblings.values()})
    # one that `run:` does not choose is there to be compared with: nothing else is done with its models
    could_run |= {name: could_run[name].until_summary for name in could_run.keys() & {*chosen} - {*selected}}
    return Study(
        study.section,
        {name: checked.section for name, checked in sorted(datasets.items())},
        {name: made[name] if name in made else could_run[name] for name in chosen},
        {name: could_run[name] for name in needed if name not in chosen},
        siblings,
        _chosen_families(expanded.families, chosen),
    )


def _chosen_families(families: Mapping[str, list[str]], chosen: list[str]) -> dict[str, list[str]]:
    members = {family: [name for name in names if name in chosen] for family, names in families.items()}
    return {family: names for family, names in members.items() if names}


def _missing_files(
    root: Path, used: Iterable[str], datasets: Mapping[str, Checked[DatasetConfig]], documents: Mapping[str, Document]
) -> Iterator[Problem]:
    """The files of ``used`` datasets that are not there, unless the dataset is prepared and needs them no more."""
    for name in used:
        checked = datasets.get(name)
        if checked and "source" in checked.usable and not (root / layout.MANIFEST.format(dataset=name)).exists():
            for path, message in missing_files(checked.section.source, root):
                yield Problem.at(documents[name].position(path), path, message)


def _missing_to_predict(
    root: Path,
    experiments: Mapping[str, Checked[ExperimentConfig]],
    used: Collection[str],
    datasets: Mapping[str, Checked[DatasetConfig]],
    documents: Mapping[str, Document],
) -> Iterator[Problem]:
    """The files of datasets that are yet to be predicted and are not there, if ``_missing_files`` has not told."""
    names = {data for name, experiment in experiments.items() for data in _to_predict(root, name, experiment)}
    for name in sorted(names):
        is_told = name in used and not (root / layout.MANIFEST.format(dataset=name)).exists()
        checked = datasets.get(name)
        if checked and not is_told and "source" in checked.usable:
            for path, message in missing_files(checked.section.source, root):
                yield Problem.at(documents[name].position(path), path, message)


def _to_predict(root: Path, name: str, experiment: Checked[ExperimentConfig]) -> Iterator[str]:
    """The datasets whose predictions by an experiment are not there."""
    there = [getattr(experiment.section, key) for key in ("predict", "monitor") if key in experiment.usable]
    for data in (data for section in there if section for data in section.data):
        if not (root / layout.PREDICTED.format(experiment=name, dataset=data)).exists():
            yield data


def _missing_of_networks(
    root: Path, experiments: Mapping[str, Checked[ExperimentConfig]], documents: Mapping[str, Document]
) -> Iterator[Problem]:
    """The files of ``pretrained`` weights, and the modules of the user's own networks, that are not there."""
    for name, checked in experiments.items():
        if "model" in checked.usable:
            model = checked.section.model
            for path, message in (*missing_weights(model, root), *missing_module(model, root)):
                yield Problem.at(documents[name].position(path), path, message)
