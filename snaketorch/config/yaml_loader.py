"""YAML as its authors expect it: positions kept, nothing lost, no surprises.

PyYAML reads YAML 1.1, where ``no`` is false, ``1e-3`` is a string, ``012`` is ten, ``3:20`` is two
hundred, and the second of two equal keys wins without a word. Here plain scalars are those of YAML
1.2; tags, merge keys, numbers with a leading zero and equal keys are problems; and every value
remembers its line.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from snaketorch.config.document import UNREAD, Document, Unread
from snaketorch.config.problems import KeyPath, Position, Problem, shortened
from snaketorch.config.yaml_events import UnreadableError, events_of, stay_small
from snaketorch.config.yaml_scalars import NULL, parse_scalar

_MAPPING_WANTED = "allowed: a mapping of keys to values"


def read_yaml(path: Path, shown_as: str) -> Document:
    """Reads one mapping from ``path``; what is wrong with it is in ``Document.problems``."""
    document = Document(shown_as)
    try:
        document.data = _Builder(document, events_of(path)).root()
    except UnreadableError as error:
        document.problems.append(Problem(shown_as, error.line, "", error.what))
    return document


class _Builder:
    """Turns events into Python values, noting positions and problems."""

    def __init__(self, document: Document, events: list[yaml.Event]):
        self.document = document
        self.events = events
        self.next = 0
        self.anchors: dict[str, int] = {}
        self.count = 0

    def root(self) -> dict[str, Any] | None:
        first = self.events[0] if self.events else None
        if first is None or (isinstance(first, yaml.ScalarEvent) and first.implicit[0] and first.value in NULL):
            raise UnreadableError(0, f"is empty; {_MAPPING_WANTED}")
        if not isinstance(first, yaml.MappingStartEvent):
            raise UnreadableError(first.start_mark.line + 1, f"holds {_kind(first)}; {_MAPPING_WANTED}")
        value = self._value(())
        return None if value is UNREAD else value

    def _value(self, path: KeyPath) -> Any:
        event = self.events[self.next]
        line = event.start_mark.line + 1
        self.count += 1
        stay_small(self.count, len(path), line)
        self.document.positions.setdefault(path, Position(self.document.file, line))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        self._note_anchor(event)
        self.next += 1
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event, path)
        elif isinstance(event, yaml.MappingStartEvent):
            value = dict(self._items(path))
        else:
            value = list(self._elements(path))
        return value if event.tag is None else self._refuse_tag(event, path)

    def _items(self, path: KeyPath) -> Iterator[tuple[str, Any]]:
        lines: dict[str, int] = {}
        while not isinstance(event := self.events[self.next], yaml.MappingEndEvent):
            self._skip()
            line = event.start_mark.line + 1
            if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
                self._problem(event, path, f"{_kind(event)} cannot be a key; allowed: plain text")
                self._skip()
                continue
            key = event.value
            if key == "<<" and event.implicit[0]:
                self._problem(event, path, "merge keys ('<<') are not read; allowed: 'extends:' to share settings")
                self._skip()
                yield key, UNREAD
            elif key in lines:
                self._problem(event, (*path, key), f"duplicate key, first set in line {lines[key]}; allowed: once")
                self._skip()
            else:
                lines[key] = line
                self.document.positions[(*path, key)] = Position(self.document.file, line)
                yield key, self._value((*path, key))
        self.next += 1

    def _elements(self, path: KeyPath) -> Iterator[Any]:
        index = 0
        while not isinstance(self.events[self.next], yaml.SequenceEndEvent):
            yield self._value((*path, index))
            index += 1
        self.next += 1

    def _skip(self) -> None:
        """Goes past one value without reading it."""
        depth = 0
        while True:
            event = self.events[self.next]
            self._note_anchor(event)
            self.next += 1
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth == 0:
                return

    def _note_anchor(self, event: yaml.Event) -> None:
        if getattr(event, "anchor", None) and not isinstance(event, yaml.AliasEvent):
            self.anchors[event.anchor] = self.next

    def _alias(self, event: yaml.AliasEvent, path: KeyPath) -> Any:
        after = self.next + 1
        if event.anchor not in self.anchors:
            self._problem(
                event, path, f"alias '*{event.anchor}' has no anchor '&{event.anchor}' before it; allowed: one above"
            )
            self.next = after
            return UNREAD
        self.next = self.anchors[event.anchor]
        value = self._value(path)
        self.next = after
        return value

    def _scalar(self, event: yaml.ScalarEvent, path: KeyPath) -> Any:
        if not event.implicit[0]:  # quoted or a block: text as it stands
            return event.value
        try:
            return parse_scalar(event.value)
        except ValueError as error:
            self._problem(event, path, str(error))
            return UNREAD

    def _refuse_tag(self, event: yaml.Event, path: KeyPath) -> Unread:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        self._problem(event, path, f"tag '{shortened(tag)}' is not read; allowed: values without tags")
        return UNREAD

    def _problem(self, event: yaml.Event, path: KeyPath, message: str) -> None:
        position = Position(self.document.file, event.start_mark.line + 1)
        self.document.problems.append(Problem.at(position, path, message))


def _kind(event: yaml.Event) -> str:
    if isinstance(event, yaml.MappingStartEvent):
        return "a mapping"
    if isinstance(event, yaml.SequenceStartEvent):
        return "a list"
    if isinstance(event, yaml.AliasEvent):
        return "an alias"
    return "a single value" if event.tag is None else "a tagged value"
