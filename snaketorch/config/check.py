"""Checks each file against its model, then its sections against each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from snaketorch.config.base import Section
from snaketorch.config.conflicts import experiment_conflicts
from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.document import Document, is_read
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.explain import explain
from snaketorch.config.overrides import SHOWN_AS
from snaketorch.config.problems import Conflict, Problem
from snaketorch.config.rules import Datasets
from snaketorch.config.rules.dataset import dataset_conflicts
from snaketorch.config.rules.images import images_are_large_enough
from snaketorch.config.select import is_abstract
from snaketorch.config.upstream import Part, upstream_conflicts
from snaketorch.config.variants import sweep_conflicts

S = TypeVar("S", bound=Section)


@dataclass(frozen=True)
class Checked(Generic[S]):
    """A file as far as it is right."""

    section: S
    """Holds the ``usable`` keys; others may be absent."""
    usable: set[str]


def check(model: type[S], document: Document, problems: list[Problem]) -> Checked[S]:
    """Validates ``document``; what is wrong is added to ``problems``."""
    if document.data is None:
        return Checked(model.model_construct(), set())
    try:
        return Checked(model.model_validate(document.data), set(model.model_fields))
    except ValidationError as error:
        whole = document.complete and not is_abstract(document)
        problems.extend(explain(error, document, model, whole))
        return _usable_part(model, document, {item["loc"][0] for item in error.errors()})


def check_datasets(documents: Mapping[str, Document], problems: list[Problem]) -> dict[str, Checked[DatasetConfig]]:
    """Every dataset by name."""
    datasets = {name: check(DatasetConfig, document, problems) for name, document in documents.items()}
    for name, checked in datasets.items():
        for path, message in dataset_conflicts(checked.section, checked.usable):
            problems.append(Problem.at(documents[name].position(path), path, message))
    return datasets


def check_experiments(
    documents: Mapping[str, Document], datasets: Mapping[str, Checked[DatasetConfig]], problems: list[Problem]
) -> dict[str, Checked[ExperimentConfig]]:
    """Every experiment by name."""
    gives = {
        name: checked.section.source.provides if "source" in checked.usable else None
        for name, checked in datasets.items()
    }
    experiments = {name: check(ExperimentConfig, document, problems) for name, document in documents.items()}
    parts = upstream_parts(documents, experiments)
    found: dict[str, list[Conflict]] = {}
    for name, part in parts.items():
        if documents[name].data is not None and not part.abstract:
            conflicts = [*_within(part, gives, datasets), *upstream_conflicts(name, parts)]
            is_right = not conflicts and set(ExperimentConfig.model_fields).issubset(part.usable)
            if is_right and is_read(documents[name].data):
                conflicts = list(_of_sweep(part, gives, datasets))
            found[name] = conflicts
    for name in found:
        problems.extend(_own_conflicts(name, found, documents[name]))
    return experiments


def upstream_parts(
    documents: Mapping[str, Document], experiments: Mapping[str, Checked[ExperimentConfig]]
) -> dict[str, Part]:
    """Each experiment as far as it is right, for those that need its model."""
    return {
        name: Part(
            checked.section,
            checked.usable if documents[name].complete else checked.usable & (documents[name].data or {}).keys(),
            is_abstract(documents[name]),
        )
        for name, checked in experiments.items()
    }


def _within(part: Part, gives: Datasets, datasets: Mapping[str, Checked[DatasetConfig]]) -> Iterator[Conflict]:
    """Everything in an experiment that contradicts something else in it, or its dataset."""
    yield from experiment_conflicts(part.section, set(part.usable), gives)
    yield from _too_small(part, datasets)


def _of_sweep(part: Part, gives: Datasets, datasets: Mapping[str, Checked[DatasetConfig]]) -> Iterator[Conflict]:
    """What is wrong with an experiment that a sweep would make of one that is right."""
    return sweep_conflicts(part.section, lambda variant: _within(part._replace(section=variant), gives, datasets))


def _too_small(part: Part, datasets: Mapping[str, Checked[DatasetConfig]]) -> Iterator[Conflict]:
    if {"data", "model"}.issubset(part.usable):
        dataset = datasets.get(part.section.data)
        if dataset and "prepare" in dataset.usable:
            yield from images_are_large_enough(part.section, dataset.section.prepare)


def _own_conflicts(name: str, found: Mapping[str, list[Conflict]], document: Document) -> Iterator[Problem]:
    """The conflicts of an experiment that it does not simply inherit from one that has them too."""
    base = document.data.get("extends")
    for path, message in found[name]:
        if isinstance(base, str) and (path, message) in found.get(base, ()):
            continue
        place = document.position(path)
        if place.file not in (document.file, SHOWN_AS):  # right where it stands, wrong for who inherits it
            message += f"; set in {place.file}:{place.line}"
            place = document.position(("extends",))
        yield Problem.at(place, path, message)


def _usable_part(model: type[S], document: Document, wrong: set[str]) -> Checked[S]:
    # of a subclass pydantic takes a method for the default of the field `register`, which has its name
    defaults = {name: field.get_default(call_default_factory=True) for name, field in _optional(model)}
    part = _piecewise(model).model_construct(**defaults)
    usable = set(model.model_fields) - wrong
    for key in usable & document.data.keys():
        setattr(part, key, document.data[key])
    return Checked(part, usable)


def _optional(model: type[S]) -> list[tuple[str, FieldInfo]]:
    return [(name, field) for name, field in model.model_fields.items() if not field.is_required()]


@cache
def _piecewise(model: type[S]) -> type[S]:
    """``model``, of which single keys can be set and are checked then."""
    return type(model.__name__, (model,), {"__module__": __name__}, frozen=False, validate_assignment=True)
