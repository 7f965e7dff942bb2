"""Reads a study: every file, every problem, once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from snaketorch.config import overrides as override
from snaketorch.config.base import NAME_PATTERN
from snaketorch.config.conflicts import conflicts
from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.explain import explain, position
from snaketorch.config.extend import extend_all
from snaketorch.config.problems import ConfigError, Problem, did_you_mean
from snaketorch.config.study import StudyConfig
from snaketorch.config.yaml_loader import Document, read_yaml

STUDY_FILE = "config/config.yaml"
DATASETS = "config/datasets"
EXPERIMENTS = "config/experiments"

M = TypeVar("M", bound=BaseModel)


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
    dataset_files = _read_folder(root, DATASETS, problems)
    experiment_files = _read_folder(root, EXPERIMENTS, problems)
    override.apply(overrides or {}, study_file, dataset_files, experiment_files, problems)
    for document in (study_file, *dataset_files.values(), *experiment_files.values()):
        problems.extend(document.problems)

    config = _validate(StudyConfig, study_file, problems)
    datasets = {name: _validate(DatasetConfig, file, problems) for name, file in dataset_files.items()}
    merged = extend_all(experiment_files, problems)
    experiments = {name: _validate_experiment(file, problems) for name, file in merged.items()}
    runnable = {name: value for name, value in experiments.items() if not _is_abstract(merged[name])}
    for name, experiment in runnable.items():
        if experiment:
            for path, message in conflicts(experiment, datasets):
                problems.append(Problem(*position(merged[name], path), ".".join(path), message))
    selected = _select(config, sorted(runnable), study_file, problems) if config else []
    if problems:
        raise ConfigError(problems)

    chosen = {name: runnable[name].resolved() for name in selected}
    used = {experiment.data for experiment in chosen.values()}
    return Study(config, {name: datasets[name] for name in sorted(used)}, chosen)


def _read_folder(root: Path, folder: str, problems: list[Problem]) -> dict[str, Document]:
    """The YAML files of ``folder`` by stem."""
    documents: dict[str, Document] = {}
    for path in sorted((root / folder).iterdir() if (root / folder).is_dir() else []):
        shown_as = f"{folder}/{path.name}"
        if path.name.startswith(".") or path.suffix == ".md":
            continue
        if path.suffix != ".yaml":
            problems.append(Problem(shown_as, 0, "", "would be ignored; allowed: files that end in .yaml"))
        elif not re.fullmatch(NAME_PATTERN, path.stem):
            problems.append(
                Problem(
                    shown_as,
                    0,
                    "",
                    "its name cannot be used; allowed: letters, digits, '_' and '-', "
                    "at most 64, beginning with a letter or digit",
                )
            )
        else:
            documents[path.stem] = read_yaml(path, shown_as)
    if not documents and not problems:
        problems.append(Problem(folder, 0, "", "holds no .yaml file; at least one is needed"))
    return documents


def _validate(model: type[M], document: Document, problems: list[Problem]) -> M | None:
    if document.data is None:
        return None
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        found = explain(error, model, document)
        # a value that could not be read was reported where it stands, and is no second problem
        unread = {(problem.file, problem.line) for problem in document.problems}
        problems.extend(problem for problem in found if (problem.file, problem.line) not in unread)
        return None


def _is_abstract(document: Document) -> bool:
    return isinstance(document.data, dict) and document.data.get("abstract") is True


def _validate_experiment(document: Document, problems: list[Problem]) -> ExperimentConfig | None:
    found: list[Problem] = []
    experiment = _validate(ExperimentConfig, document, found)
    if _is_abstract(document):  # it may leave keys to those who extend it
        found = [problem for problem in found if not problem.message.startswith("is required")]
    problems.extend(found)
    return experiment


def _select(config: StudyConfig, names: list[str], document: Document, problems: list[Problem]) -> list[str]:
    """The experiments that ``run:`` chooses."""
    selected: set[str] = set()
    for index, pattern in enumerate(config.run):
        matches = [name for name in names if fnmatchcase(name, pattern)]
        selected.update(matches)
        if not matches and names:
            file, line = document.positions.get(("run", index), document.positions.get(("run",), (document.file, 0)))
            problems.append(
                Problem(
                    file,
                    line,
                    f"run.{index}",
                    f"no experiment is called '{pattern}'; allowed: {_list(names)}, "
                    f"or a pattern with '*'{did_you_mean(pattern, names)}",
                )
            )
    if not names and not problems:
        problems.append(Problem(EXPERIMENTS, 0, "", "holds only abstract experiments; nothing can run"))
    return sorted(selected)


def _list(names: list[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f", ... ({len(names)} in all)" if len(names) > most else "")
