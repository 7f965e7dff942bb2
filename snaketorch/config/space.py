"""What a sweep draws from: the keys of an experiment that are tuned, with the ranges and conditions of each."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from snaketorch.config.domains import OPEN, Range, multiples
from snaketorch.config.specs import TrainSpec
from snaketorch.config.suggestions import Given, OutsideSpaceError, Suggest, every

NEAR = 0.02
"""Share of a range that counts as its edge."""
MOST_COUNTED = 100_000
"""Combinations of a grid that are counted."""

Document = Mapping[str, Any]


class Space:
    """The tuned keys in the order in which they can be drawn.

    Args:
        domains: What each key may be, by path.
        document: The configuration that is tuned, as JSON with all defaults: a ``TrainSpec`` or an experiment.

    Raises:
        ValueError: for keys that depend on each other in a circle.
    """

    def __init__(self, domains: Mapping[str, Range], document: Document):
        self.domains = dict(domains)
        self._document = document
        self.order = list(_in_order(self.domains))

    def draw(self, suggest: Suggest) -> dict[str, Any]:
        """One configuration: a value for each key whose conditions hold, by path.

        Raises:
            ValueError: a range that depends on others is empty with what these were given.
        """
        values: dict[str, Any] = {}
        document = self._document
        for path in self.order:
            domain = self.domains[path]
            if all(_holds(document, other, wanted) for other, wanted in (domain.when or {}).items()):
                values[path] = _ask(path, domain, document, suggest)
                document = _completed(with_values(document, {path: values[path]}), path)
        return values

    def every(self, corners: bool = False, most: int = 10_000) -> Iterator[dict[str, Any]]:
        """Each combination of values, in a fixed order, the last key changing first.

        Args:
            corners: Of a range that has no list of values, or a long one, both ends stand for all.
            most: Whole numbers of a range that are still a list.
        """
        return every(self.draw, corners, most)

    def size(self, most: int) -> int:
        """How many combinations there are; no more than ``most`` are counted."""
        return sum(1 for _ in islice(self.every(), most))

    def only(self, paths: Iterable[str]) -> "Space":
        """The same space of these keys and of those that they depend on."""
        needed, waiting = set(), list(paths)
        while waiting:
            path = waiting.pop()
            if path not in needed:
                needed.add(path)
                waiting.extend(_depends_on(path, self.domains))
        return Space({path: domain for path, domain in self.domains.items() if path in needed}, self._document)

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether ``values``, by path, are a configuration of this space: no key too many, none missing."""
        try:
            return self.draw(Given(values)).keys() == values.keys()
        except ValueError:
            return False

    def at_edge(self, values: Mapping[str, Any]) -> list[str]:
        """The keys whose value lies at an end of its range, where better ones may lie beyond.

        Of a list of numbers that rise or fall the ends count, when there are more than two.
        """
        given = Given(values)
        try:
            self.draw(given)
        except OutsideSpaceError:
            return []
        return [path for path, asked in given.asked.items() if _is_edge(values[path], asked)]


def with_values(document: Document, values: Mapping[str, Any]) -> dict[str, Any]:
    """``document`` with ``values`` by path put in, the outer ones first; a section that is absent is made.

    Another ``kind`` leaves nothing of its section but itself, as in a file that extends another, and what
    ``values`` put there.
    """
    result = dict(document)
    for path in sorted(values, key=_outer_first):
        _put(result, path.split("."), values[path])
    return result


def value_at(document: Document, path: str) -> Any:
    """The value of a key. KeyError when there is none of that name."""
    found: Any = document
    for key in path.split("."):
        if not isinstance(found, Mapping):
            raise KeyError(path)
        found = found[key]
    return found


def _put(section: dict[str, Any], keys: Sequence[str], value: Any) -> None:
    """Sets a key in place; sections on the way to it are copied before they change."""
    key, *further = keys
    if not further:
        section[key] = value
        return
    inner = section.get(key)
    inner = dict(inner) if isinstance(inner, Mapping) else {}
    if further == ["kind"] and inner.get("kind") != value:
        inner = {}
    section[key] = inner
    _put(inner, further, value)


def _outer_first(path: str) -> tuple[int, bool, str]:
    # by name: the order of keys in a file, or in a spec, changes nothing
    return path.count("."), path.rpartition(".")[2] != "kind", path


def _in_order(domains: Mapping[str, Range]) -> Iterator[str]:
    waiting = sorted(domains, key=_outer_first)
    done: set[str] = set()
    while waiting:
        ready = [path for path in waiting if done.issuperset(_depends_on(path, domains))]
        if not ready:
            raise ValueError(f"{' and '.join(waiting)} depend on each other; allowed: ranges without a circle")
        yield ready[0]
        done.add(ready[0])
        waiting.remove(ready[0])


def _depends_on(path: str, domains: Mapping[str, Range]) -> list[str]:
    """The other tuned keys that must have their value before ``path`` gets its own."""
    section = path.rpartition(".")[0]
    found = []
    for other in domains:
        # the kind of its section decides which keys there are
        is_outer = path.startswith(f"{other}.") or (section and other == f"{section}.kind")
        is_named = any(f"{name}.".startswith(f"{other}.") for name in domains[path].names)
        if other != path and (is_outer or is_named or any(_kind_of(name) == other for name in domains[path].names)):
            found.append(other)
    return [*found, *([path] if path in domains[path].names else [])]


def _kind_of(path: str) -> str:
    return f"{path.rpartition('.')[0]}.kind"


def _holds(document: Document, path: str, wanted: Any) -> bool:
    try:
        found = value_at(document, path)
    except KeyError:
        return False
    return found in wanted if isinstance(wanted, list) and not isinstance(found, list) else found == wanted


def _ask(path: str, domain: Range, document: Document, suggest: Suggest) -> Any:
    if domain.options is not None:
        return suggest.choice(path, domain.options)
    low, high, step = (_number(path, bound, document) for bound in (domain.low, domain.high, domain.step))
    if domain.whole:
        return _ask_integer(path, domain, low, high, step, suggest)
    if step is not None:
        low, high = _multiples(path, low, high, step)
        if not domain.log:
            return min(high, max(low, suggest.number(path, low, high, log=False, step=step)))
        value = suggest.number(path, low, high, log=True, step=None)
        return min(high, max(low, round(value / step) * step))
    if low > high or (domain.log and low <= 0):
        raise ValueError(f"{path}: from {low:g} to {high:g} is nothing")
    largest = max(low, math.nextafter(high, low))  # which the words of Ray Tune leave out
    return min(largest, max(low, suggest.number(path, low, high, log=domain.log, step=None))) if low < high else low


def _ask_integer(path: str, domain: Range, low: Any, high: Any, step: Any, suggest: Suggest) -> int:
    # Ray Tune leaves the upper bound out where the step is 1, whatever the word
    high -= domain.word in OPEN or step == 1
    step = 1 if step is None else step
    low, high = (round(bound) for bound in _multiples(path, low, high, step))
    if not domain.log:
        return suggest.integer(path, low, high, log=False, step=step)
    return min(high, max(low, round(suggest.integer(path, low, high, log=True, step=1) / step) * step))


def _multiples(path: str, low: float, high: float, step: float) -> tuple[float, float]:
    found = multiples(low, high, step) if step > 0 else None
    if found is None:
        raise ValueError(f"{path}: from {low:g} to {high:g} with a step of {step:g} is nothing")
    return found


def _number(path: str, bound: float | str | None, document: Document) -> Any:
    if not isinstance(bound, str):
        return bound
    try:
        value = value_at(document, bound)
    except KeyError:
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{path}: the bound {bound} is no number here")
    return value


def _completed(document: dict[str, Any], path: str) -> dict[str, Any]:
    """``document`` with the defaults of a section that was just chosen, for what depends on them."""
    name = path.partition(".")[0]
    if path not in (name, f"{name}.kind") or name not in TrainSpec.model_fields:
        return document
    try:
        section = _adapter(name).validate_python(document[name])
    except ValidationError:  # which is told where it is tried
        return document
    return {**document, name: _adapter(name).dump_python(section, mode="json")}


@cache
def _adapter(name: str) -> TypeAdapter:
    field = TrainSpec.model_fields[name]
    return TypeAdapter(Annotated[field.annotation, field])


def _is_edge(value: Any, asked: tuple[float, float, bool] | Sequence[Any]) -> bool:
    if not isinstance(asked, tuple):
        numbers = all(isinstance(option, int | float) and not isinstance(option, bool) for option in asked)
        return numbers and len(asked) > 2 and value in (min(asked), max(asked))
    low, high, log = asked
    if isinstance(value, int) or low == high:
        return low < high and value in (low, high)
    if log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return min(value - low, high - value) <= NEAR * (high - low)
