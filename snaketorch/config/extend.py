"""``extends:``: an experiment that starts from another one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from snaketorch.config.document import Document
from snaketorch.config.experiment import written_out
from snaketorch.config.problems import KeyPath, Position, Problem, did_you_mean, listed

NOT_INHERITED = ("extends", "abstract", "description")


def extend_all(documents: Mapping[str, Document], problems: list[Problem]) -> dict[str, Document]:
    """Every document with what it inherits.

    One whose ancestors cannot be used comes back as it is, ``complete`` no more; what is wrong with
    its ``extends`` is added to ``problems``.
    """
    merged: dict[str, Document] = {}
    for name in documents:
        line_of_descent = _unmerged(name, documents, merged)
        for link in reversed(line_of_descent):
            merged[link] = _extend(link, documents, merged, problems)
    return merged


def _unmerged(name: str, documents: Mapping[str, Document], merged: Mapping[str, Document]) -> list[str]:
    """``name`` and those of its ancestors that are yet to be merged, the nearest first."""
    chain: list[str] = []
    while name in documents and name not in merged and name not in chain:
        chain.append(name)
        name = _base(documents[name])
    return chain


def _base(document: Document) -> Any:
    base = document.data.get("extends") if document.data else None
    return base if isinstance(base, str) else None


def _extend(
    name: str, documents: Mapping[str, Document], merged: Mapping[str, Document], problems: list[Problem]
) -> Document:
    own = documents[name]
    base = own.data.get("extends") if own.data else None
    if base is None:
        return own
    if not isinstance(base, str):
        return replace(own, complete=False)  # what is wrong with it is seen when its keys are checked
    if base in merged and merged[base].data and merged[base].complete:
        result = _inheritance(merged[base], own.file)
        lay_over(result, own)
        return result

    message = None
    if base not in documents:
        known = [other for other in documents if other != name]
        message = f"there is no experiment '{base}'; allowed: {listed(known) or 'none yet'}{did_you_mean(base, known)}"
    elif (circle := _circle(name, documents)) and name == min(circle):  # said once, not by each of its files
        message = f"goes round in a circle: {' -> '.join([*circle, name])}; allowed: a line that ends"
    if message:
        problems.append(Problem.at(own.position(("extends",)), ("extends",), message))
    return replace(own, data={key: value for key, value in own.data.items() if key != "extends"}, complete=False)


def _circle(name: str, documents: Mapping[str, Document]) -> list[str]:
    """The experiments that lead from ``name`` back to it; empty when none do."""
    chain = [name]
    while (base := _base(documents[chain[-1]])) in documents and base not in chain:
        chain.append(base)
    return chain if base == name else []


def _inheritance(base: Document, file: str) -> Document:
    """What an experiment in ``file`` starts with."""
    positions = {path: place for path, place in base.positions.items() if path and path[0] not in NOT_INHERITED}
    return Document(file, {key: value for key, value in base.data.items() if key not in NOT_INHERITED}, positions)


def lay_over(document: Document, layer: Document) -> None:
    """Puts the keys of ``layer`` over those of ``document`` in place: mappings merge, all else is replaced.

    A section with another ``kind`` replaces the whole section: its other keys would make no sense.
    """
    if () in layer.positions:
        document.positions[()] = layer.positions[()]
    old, new = written_out(document.data), written_out(layer.data)
    document.data = _merged(old, new, (), document.positions, layer.positions)


def _merged(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    path: KeyPath,
    positions: dict[KeyPath, Position],
    new_positions: Mapping[KeyPath, Position],
) -> dict[str, Any]:
    """``old`` with ``new`` over it; ``positions`` follow in place."""
    result = dict(old)
    for key, value in new.items():
        here = (*path, key)
        before = old.get(key)
        if isinstance(before, dict) and isinstance(value, dict) and value.get("kind") in (None, before.get("kind")):
            positions[here] = _section(positions.get(here), new_positions[here])
            result[key] = _merged(before, value, here, positions, new_positions)
        else:
            for known in [known for known in positions if known[: len(here)] == here] if key in old else ():
                del positions[known]
            positions |= {known: place for known, place in new_positions.items() if known[: len(here)] == here}
            result[key] = value
    return result


def _section(old: Position | None, new: Position) -> Position:
    """Where a section stands that both have: in the file that has it, not on a command line that adds to it."""
    return new if new.line else new._replace(beneath=old)
