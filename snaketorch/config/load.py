"""Reads a study: every file, every problem, once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snaketorch.config import overrides as override
from snaketorch.config.check import check, check_datasets, check_experiments
from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.extend import extend_all
from snaketorch.config.files import read_folder
from snaketorch.config.problems import ConfigError, Problem
from snaketorch.config.select import select
from snaketorch.config.study import StudyConfig
from snaketorch.config.yaml_loader import read_yaml

STUDY_FILE = "config/config.yaml"
DATASETS = "config/datasets"
EXPERIMENTS = "config/experiments"


@dataclass(frozen=True)
class Study:
    """A valid study: the experiments that run, and the datasets that they name."""

    config: StudyConfig
    datasets: dict[str, DatasetConfig]
    experiments: dict[str, ExperimentConfig]

    def dataset_of(self, experiment: str) -> DatasetConfig:
        return self.datasets[self.experiments[experiment].data]


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
    if problems:
        raise ConfigError(problems)

    chosen = {name: experiments[name].section.resolved() for name in selected}
    used = sorted({experiment.data for experiment in chosen.values()})
    return Study(study.section, {name: datasets[name].section for name in used}, chosen)
