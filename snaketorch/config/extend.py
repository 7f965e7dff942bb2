"""``extends:``: an experiment that starts from another one."""

from collections.abc import Mapping
from typing import Any

from snaketorch.config.problems import Problem, did_you_mean
from snaketorch.config.yaml_loader import Document, KeyPath

NOT_INHERITED = ("extends", "abstract", "description")


def extend_all(documents: Mapping[str, Document], problems: list[Problem]) -> dict[str, Document]:
    """Every document with what it inherits; those that cannot be resolved are left out and reported."""
    merged: dict[str, Document] = {}
    for name in documents:
        chain = _chain(name, documents, problems)
        if chain:
            merged[name] = _fold([documents[link] for link in reversed(chain)])
    return merged


def _chain(name: str, documents: Mapping[str, Document], problems: list[Problem]) -> list[str]:
    """``name`` and its ancestors, the nearest first; empty when there is a problem."""
    chain = [name]
    while True:
        document = documents[chain[-1]]
        if not isinstance(document.data, dict):
            return []
        base = document.data.get("extends")
        if base is None:
            return chain
        if not isinstance(base, str):
            return [name]  # the schema reports it
        file, line = document.positions[("extends",)]
        if base not in documents:
            if len(chain) == 1:
                others = [other for other in documents if other != name]
                problems.append(
                    Problem(
                        file,
                        line,
                        "extends",
                        f"there is no experiment '{base}'; allowed: {', '.join(others) or 'none yet'}"
                        f"{did_you_mean(base, others)}",
                    )
                )
            return []
        if base in chain:
            circle = " -> ".join([*chain[chain.index(base) :], base])
            if base == name:  # reported once, by each file of the circle
                problems.append(Problem(file, line, "extends", f"goes round in a circle: {circle}"))
            return []
        chain.append(base)


def _fold(documents: list[Document]) -> Document:
    """Documents laid over each other, the first at the bottom."""
    result = Document(documents[-1].file)
    data: dict[str, Any] = {}
    for index, document in enumerate(documents):
        is_base = index < len(documents) - 1
        layer = {key: value for key, value in document.data.items() if not (is_base and key in NOT_INHERITED)}
        _lay_over(data, layer, (), document, result)
        result.problems.extend(document.problems)
    result.data = data
    result.positions[()] = documents[-1].positions.get((), (result.file, 0))
    return result


def _lay_over(base: dict[str, Any], layer: dict[str, Any], path: KeyPath, source: Document, result: Document) -> None:
    """Puts ``layer`` over ``base`` in place: mappings merge, all else is replaced.

    A section with another ``kind`` replaces the base's section: its other keys would make no sense.
    """
    for key, value in layer.items():
        here = (*path, key)
        old = base.get(key)
        merges = isinstance(old, dict) and isinstance(value, dict) and value.get("kind", old.get("kind")) == old.get("kind")
        if merges:
            result.positions[here] = source.positions.get(here, (source.file, 0))
            base[key] = dict(old)
            _lay_over(base[key], value, here, source, result)
        else:
            for known in [known for known in result.positions if known[: len(here)] == here]:
                del result.positions[known]
            result.positions.update(
                {known: place for known, place in source.positions.items() if known[: len(here)] == here}
            )
            base[key] = value
