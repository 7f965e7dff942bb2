"""``snakemake --config``: values put over the files, and checked like them.

``snakemake --config 'run=[digits_cnn]'`` sets a key of the study;
``snakemake --config 'experiments={digits_cnn: {optimizer: {lr: 1e-3}}}'`` one of an experiment.
"""

from collections.abc import Mapping
from typing import Any

from snaketorch.config.document import UNREAD, Document
from snaketorch.config.extend import lay_over
from snaketorch.config.problems import KeyPath, Position, Problem, did_you_mean, listed
from snaketorch.config.study import StudyConfig
from snaketorch.config.yaml_scalars import parse_scalar

SHOWN_AS = "--config"
NAMES = ("run",)
"""Keys of the study that hold nothing but names, which may be all digits."""


def apply(
    overrides: Mapping[str, Any],
    study: Document,
    datasets: Mapping[str, Document],
    experiments: Mapping[str, Document],
    problems: list[Problem],
) -> None:
    """Lays ``overrides`` over the documents in place; unknown names become problems."""
    parts = {"datasets": datasets, "experiments": experiments}
    known = [*StudyConfig.model_fields, *parts]
    own: dict[str, Any] = {}
    for key, value in overrides.items():
        if key in parts:
            _apply_to_files(key, value, parts[key], problems)
        elif key in known:
            own[key] = value
        else:
            problems.append(
                Problem.at(
                    Position(SHOWN_AS, 0), (key,), f"unknown key; allowed: {listed(known)}{did_you_mean(key, known)}"
                )
            )
    _put(study, own, (), problems)


def _apply_to_files(part: str, values: Any, documents: Mapping[str, Document], problems: list[Problem]) -> None:
    place = Position(SHOWN_AS, 0)
    form = f"such as --config '{part}={{NAME: {{KEY: VALUE}}}}'"
    if not isinstance(values, Mapping):
        message = f"is no mapping, or one with a bracket left open; allowed: names with their keys, {form}"
        problems.append(Problem.at(place, (part,), message))
        return
    for name, value in values.items():
        path = (part, str(name))
        if name not in documents:
            message = f"there is no file of that name; allowed: {listed(documents)}{did_you_mean(name, documents)}"
            problems.append(Problem.at(place, path, message))
        elif not isinstance(value, Mapping):
            problems.append(Problem.at(place, path, f"is no mapping; allowed: keys with their values, {form}"))
        else:
            _put(documents[name], value, path, problems)


def _put(document: Document, values: Mapping[str, Any], within: KeyPath, problems: list[Problem]) -> None:
    if document.data is None:
        return  # the file itself is reported
    layer = Document(SHOWN_AS)
    layer.data = _read(values, (), Position(SHOWN_AS, 0, within), layer)
    problems.extend(layer.problems)
    lay_over(document, layer)


def _read(value: Any, path: KeyPath, place: Position, layer: Document) -> Any:
    """``value`` with its texts read as YAML scalars: Snakemake passes nested values as text, without their quotes."""
    if path:
        layer.positions[path] = place
    if isinstance(value, Mapping):
        return {str(key): _read(item, (*path, str(key)), place, layer) for key, item in value.items()}
    if isinstance(value, list):
        return [_read(item, (*path, index), place, layer) for index, item in enumerate(value)]
    if isinstance(value, str) and path[0] not in NAMES:
        try:
            return parse_scalar(value)
        except ValueError as error:
            layer.problems.append(Problem.at(place, path, str(error)))
            return UNREAD
    return value
