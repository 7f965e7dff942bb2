"""``matrix:``: one experiment for each combination of some values."""

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from snaketorch.config.derived_names import derived_name, fingerprint, slug
from snaketorch.config.document import Document, is_read
from snaketorch.config.experiment import written_out
from snaketorch.config.problems import KeyPath, Position, Problem
from snaketorch.config.select import is_abstract
from snaketorch.config.space import with_values

MOST = 1000
"""Experiments of one matrix."""
NOT_VARIED = ("extends", "abstract", "matrix", "tune")
"""Keys that say what a file is: they have one value."""


@dataclass(frozen=True)
class Expanded:
    """The experiments of a study, and those that stand for others."""

    documents: dict[str, Document]
    families: dict[str, list[str]]
    """The experiments that were made of each matrix, by the name of its file."""


def expand_all(documents: Mapping[str, Document], problems: list[Problem]) -> Expanded:
    """Puts in place of each document with a matrix its experiments, in the order of the values.

    One whose matrix cannot be used comes back as it is; what is wrong with the form of the matrix is seen
    when its keys are checked, all else is added to ``problems``.
    """
    result = {name: document for name, document in documents.items() if not _axes(document)}
    families: dict[str, list[str]] = {}
    for name, document in documents.items():
        axes = _axes(document)
        if not axes:
            continue
        wrong = list(_wrong(axes, document))
        members = {} if wrong else dict(_members(name, document, axes))
        if not wrong and (twice := sorted(result.keys() & members)):
            message = f"gives an experiment '{twice[0]}', and there is one of that name; allowed: another file name"
            wrong.append(Problem.at(document.position(("matrix",)), ("matrix",), message))
        problems.extend(wrong)
        result |= {name: _without_matrix(document)} if wrong else members
        if not wrong:
            families[name] = list(members)
    return Expanded(dict(sorted(result.items())), families)


def _axes(document: Document) -> dict[str, list[Any]]:
    """The lists of values by key; nothing when there is no matrix, or none that can be used."""
    data = document.data or {}
    axes = data.get("matrix")
    if is_abstract(document) or not isinstance(axes, dict) or data.get("tune") is not None:
        return {}
    is_right = all(isinstance(key, str) and isinstance(values, list) and values for key, values in axes.items())
    return axes if is_right and is_read(axes) else {}


def _wrong(axes: Mapping[str, list[Any]], document: Document) -> Iterator[Problem]:
    count = math.prod(map(len, axes.values()))
    if count > MOST:
        path: KeyPath = ("matrix",)
        message = f"gives {count:,} experiments; allowed: at most {MOST:,}"
        yield Problem.at(document.position(path), path, message)
    for key, values in axes.items():
        path = ("matrix", key)
        place = document.position(path)
        if key.partition(".")[0] in NOT_VARIED:
            yield Problem.at(place, path, "has one value in a file; allowed: any other key of an experiment")
        texts = [json.dumps(value, sort_keys=True) for value in values]
        for index, text in enumerate(texts):
            if text in texts[:index]:
                path = ("matrix", key, index)
                yield Problem.at(document.position(path), path, f"{text} more than once; allowed: each value once")


def _members(name: str, document: Document, axes: Mapping[str, list[Any]]) -> Iterator[tuple[str, Document]]:
    taken: set[str] = set()
    for chosen in itertools.product(*(range(len(values)) for values in axes.values())):
        places = dict(zip(axes, chosen, strict=True))
        values = {key: axes[key][index] for key, index in places.items()}
        member = _without_matrix(document)
        member.data = with_values(written_out(member.data), values)
        member.positions = dict(_positions(member.data, places, document))
        own = derived_name(name, "-".join(map(slug, values.values())), values)
        if own in taken:  # null and "none", say, are one word
            own = derived_name(name, fingerprint(values), values)
        taken.add(own)
        yield own, member


def _positions(
    data: Mapping[str, Any], places: Mapping[str, int], document: Document
) -> Iterator[tuple[KeyPath, Position]]:
    """Where the keys of a member stand: in the file, or in the list of the matrix that their values come from."""
    for path, position in document.positions.items():
        if _is_there(data, path):
            yield path, position
    for key, index in places.items():
        begin, keys = ("matrix", key, index), tuple(key.split("."))
        for length in range(1, len(keys)):
            if keys[:length] not in document.positions:  # a section that the file does not have
                yield keys[:length], document.positions[begin]
        for path, position in document.positions.items():
            if path[: len(begin)] == begin:
                yield (*keys, *path[len(begin) :]), position


def _is_there(data: Any, path: KeyPath) -> bool:
    for key in path:
        if not ((isinstance(data, dict) and key in data) or (isinstance(data, list) and key in range(len(data)))):
            return False
        data = data[key]
    return True


def _without_matrix(document: Document) -> Document:
    data = {key: value for key, value in document.data.items() if key != "matrix"}
    return replace(document, data=data, positions=dict(document.positions))
