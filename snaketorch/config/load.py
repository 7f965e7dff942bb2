"""Reads a study: every file, every problem, once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
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
from snaketorch.config.own_modules import missing_module
from snaketorch.config.problems import ConfigError, Problem
from snaketorch.config.select import select
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
    experiment_files = extend_all(experiment_files, problems)

    study = check(StudyConfig, study_file, problems)
    datasets = check_datasets(dataset_files, problems)
    experiments = check_experiments(experiment_files, datasets, problems)
    selected = select(study_file, experiment_files, problems)
    needed = sorted(needed_by(selected, upstream_parts(experiment_files, experiments)))
    trained = {name: experiments[name] for name in (*selected, *needed)}
    used = {checked.section.data for checked in trained.values() if hasattr(checked.section, "data")}
    problems.extend(_missing_files(root, used, datasets, dataset_files))
    problems.extend(_missing_of_networks(root, trained, experiment_files))
    if problems:
        raise ConfigError(problems)

    return Study(
        study.section,
        {name: checked.section for name, checked in sorted(datasets.items())},
        {name: trained[name].section.resolved() for name in selected},
        {name: trained[name].section.resolved() for name in needed},
    )


def _missing_files(
    root: Path, used: Iterable[str], datasets: Mapping[str, Checked[DatasetConfig]], documents: Mapping[str, Document]
) -> Iterator[Problem]:
    """The files of ``used`` datasets that are not there, unless the dataset is prepared and needs them no more."""
    for name in used:
        checked = datasets.get(name)
        if checked and "source" in checked.usable and not (root / layout.MANIFEST.format(dataset=name)).exists():
            for path, message in missing_files(checked.section.source, root):
                yield Problem.at(documents[name].position(path), path, message)


def _missing_of_networks(
    root: Path, experiments: Mapping[str, Checked[ExperimentConfig]], documents: Mapping[str, Document]
) -> Iterator[Problem]:
    """The files of ``pretrained`` weights, and the modules of the user's own networks, that are not there."""
    for name, checked in experiments.items():
        if "model" in checked.usable:
            model = checked.section.model
            for path, message in (*missing_weights(model, root), *missing_module(model, root)):
                yield Problem.at(documents[name].position(path), path, message)
