"""Experiments that need the trained models of others: whether these can be had, and which run for that."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.problems import Conflict, KeyPath, did_you_mean, listed

SAME_NETWORK = ("kind", "variant", "class_path")
"""Keys of `model` in which two experiments must agree for one to start from the other's weights."""


class Part(NamedTuple):
    """An experiment as far as its file is right."""

    section: ExperimentConfig
    usable: Collection[str]
    """Its keys that can be read."""
    abstract: bool

    def needs(self) -> dict[KeyPath, str]:
        """The experiments whose models it needs, by the key that names them."""
        found: dict[KeyPath, str] = {}
        if "model" in self.usable and (name := self.section.model.upstream):
            found["model", "pretrained", "from_experiment"] = name
        if "task" in self.usable:
            found |= {("task", key, "from_experiment"): name for key, name in self.section.task.upstream.items()}
        return found


def upstream_conflicts(name: str, parts: Mapping[str, Part]) -> Iterator[Conflict]:
    """Every key of experiment ``name`` that names a model that cannot be had, or not for this; and why."""
    own = parts[name]
    for path, other in own.needs().items():
        # not who names it too, for whom it is as wrong
        possible = [known for known, part in parts.items() if not part.abstract and part.needs().get(path) != other]
        if other not in parts:
            message = f"there is no experiment '{other}'; allowed: {_some(possible)}{did_you_mean(other, possible)}"
        elif parts[other].abstract:
            message = f"'{other}' is abstract, only there to be extended; allowed: {_some(possible)}"
        elif circle := _circle(name, other, parts):
            if name != min(circle):  # said once, not by each of its experiments
                continue
            message = f"goes round in a circle: {' -> '.join([*circle, name])}; allowed: a line that ends"
        elif path[0] == "model":
            message = _other_network(own, other, parts, possible)
        else:
            message = _other_task(own, path, other, parts, possible)
        if message:
            yield path, message


def needed_by(names: Iterable[str], parts: Mapping[str, Part]) -> set[str]:
    """The experiments beyond ``names`` whose models these need, directly or through others."""
    found = set(names)
    waiting = list(found)
    while waiting:
        new = {other for other in parts[waiting.pop()].needs().values() if other in parts} - found
        found |= new
        waiting.extend(new)
    return found.difference(names)


def _circle(name: str, other: str, parts: Mapping[str, Part]) -> list[str]:
    """The experiments that lead from ``name`` by way of ``other`` back to it; empty when none do."""
    seen: set[str] = set()
    chains = [[name, other]]
    while chains:
        chain = chains.pop()
        if chain[-1] == name:
            return chain[:-1]
        if chain[-1] in parts and chain[-1] not in seen:
            seen.add(chain[-1])
            chains.extend([*chain, needed] for needed in parts[chain[-1]].needs().values())
    return []


def _other_network(own: Part, other: str, parts: Mapping[str, Part], possible: Iterable[str]) -> str | None:
    model, theirs = own.section.model, parts[other]
    if "model" not in theirs.usable:
        return None
    for key in SAME_NETWORK:
        mine, found = getattr(model, key, None), getattr(theirs.section.model, key, None)
        if mine != found:
            fitting = [
                name
                for name in possible
                if "model" in parts[name].usable and getattr(parts[name].section.model, key, None) == mine
            ]
            return (
                f"'{other}' trains a network of {key} '{found}', whose weights do not fit {key} '{mine}'; "
                f"allowed: {_some(fitting)}"
            )
    return None


def _other_task(own: Part, path: KeyPath, other: str, parts: Mapping[str, Part], possible: Iterable[str]) -> str | None:
    tasks = own.section.task.upstream_tasks[path[1]]
    kinds = {name: parts[name].section.task.kind for name in possible if "task" in parts[name].usable}
    if kinds.get(other, tasks[0]) in tasks:
        return None
    fitting = [name for name, kind in kinds.items() if kind in tasks]
    return f"'{other}' learns {kinds[other]}, and this needs a model of {' or '.join(tasks)}; allowed: {_some(fitting)}"


def _some(names: Iterable[str]) -> str:
    return listed(sorted(names)) or "none yet"
