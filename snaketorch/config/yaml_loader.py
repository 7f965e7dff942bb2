"""YAML as its authors expect it: positions kept, nothing lost, no surprises.

PyYAML reads YAML 1.1, where ``no`` is false, ``1e-3`` is a string, ``012`` is ten, ``3:20`` is two
hundred, and the second of two equal keys wins without a word. Here plain scalars follow the core
schema of YAML 1.2.2 (https://yaml.org/spec/1.2.2/#103-core-schema); tags, merge keys, numbers with a
leading zero and equal keys are problems; and every value remembers its line.
"""

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from snaketorch.config.problems import KeyPath, Position, Problem, shortened

MAX_BYTES = 1_000_000
MAX_VALUES = 20_000
MAX_DEPTH = 20
"""Far above any configuration; libyaml needs minutes for some thousand open brackets."""
MAX_DIGITS = 30

_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE = {"true", "True", "TRUE"}
_FALSE = {"false", "False", "FALSE"}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NON_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NO_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_MAPPING_WANTED = "allowed: a mapping of keys to values"
_HINTS = {
    "tab": "spaces to indent",
    "a value begins with": "such text in quotes",
    "mapping values": "text with ': ' in quotes, and equal indents for the keys of a section",
    "expected key": "equal indents for the keys of a section",
    "expected ':'": "KEY: VALUE, with a space after the colon",
    "expected ','": "brackets that are closed",
    "node content": "a value, and brackets that are closed",
    "end of stream": "quotes that are closed",
    "incompatible": "YAML 1.2",
}
"""What to do about libyaml's messages."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unread:
    """Stands for a value that could not be read and was reported where it stands."""


UNREAD = Unread()


@dataclass
class Document:
    """A file's content with the position of every key."""

    file: str
    data: Any = None
    """A mapping, or None when there is nothing to go on with."""
    positions: dict[KeyPath, Position] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True
    """False when some of its keys may be missing only because what it extends could not be read."""

    def position(self, path: KeyPath) -> Position:
        """Where ``path`` stands, or the nearest section around it."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.positions:
                return self.positions[path[:length]]
        return Position(self.file, 0)

    def gap(self, path: KeyPath) -> Position:
        """Where ``path``, which is nowhere, is missing: in this file, not in one that it extends."""
        for length in range(len(path), -1, -1):
            place = self.positions.get(path[:length])
            while place and place.beneath:
                place = place.beneath
            if place and (place.file == self.file or not place.line):
                return place
        return Position(self.file, 0)


class _UnreadableError(Exception):
    """Nothing of the file can be used."""

    def __init__(self, line: int, what: str):
        super().__init__(what)
        self.line, self.what = line, what


def parse_scalar(text: str) -> Any:
    """The value of a plain (unquoted) scalar.

    Raises:
        ValueError: for a number with a leading zero, or with very many digits.
    """
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if _INT.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise ValueError(f"a number of {len(text):,} digits; allowed: {MAX_DIGITS} digits, or quotes")
        return int(text, base=0)
    if _LEADING_ZERO.fullmatch(text):
        raise ValueError(
            f"'{shortened(text)}' may be octal or decimal; allowed: the number without the leading zero, or quotes"
        )
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NON_FINITE.fullmatch(text):
        return float(text.replace(".", "", 1))
    return text


def read_yaml(path: Path, shown_as: str) -> Document:
    """Reads one mapping from ``path``; what is wrong with it is in ``Document.problems``."""
    document = Document(shown_as)
    try:
        document.data = _Builder(document, _events(_text(path))).root()
    except _UnreadableError as error:
        document.problems.append(Problem(shown_as, error.line, "", error.what))
    return document


def _text(path: Path) -> str:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # reading a pipe or a device might never end
            what = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
            raise _UnreadableError(0, f"is {what}; allowed: a file")
        if found.st_size > MAX_BYTES:
            raise _UnreadableError(0, f"is {found.st_size:,} bytes long; allowed: {MAX_BYTES:,}")
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        what = "is a link to nothing" if path.is_symlink() else "does not exist"
        raise _UnreadableError(0, f"{what}; allowed: a file") from None
    except OSError as error:
        raise _UnreadableError(0, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _UnreadableError(line, "is not UTF-8; allowed: text in UTF-8") from None
    if found := _NO_TEXT.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise _UnreadableError(line, f"holds the control character U+{ord(found.group()):04X}; allowed: text")
    return text


def _events(text: str) -> list[yaml.Event]:
    """What libyaml sees in the one document of ``text``.

    Events, not nodes: composing nodes recurses in C and dies of deep nesting.
    """
    events: list[yaml.Event] = []
    depth = documents = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            line = event.start_mark.line + 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _UnreadableError(line, "holds a second document; allowed: one mapping in each file")
            elif isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
                events.append(event)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            _stay_small(len(events) // 2, depth, line)
    except yaml.YAMLError as error:
        raise _syntax_error(error, text) from None
    return events


def _stay_small(values: int, depth: int, line: int) -> None:
    if depth > MAX_DEPTH:
        raise _UnreadableError(line, f"is nested more than {MAX_DEPTH} deep; allowed: the sections of config/README.md")
    if values > MAX_VALUES:
        raise _UnreadableError(line, f"holds more than {MAX_VALUES:,} values, those of aliases counted; allowed: fewer")


def _syntax_error(error: yaml.YAMLError, text: str) -> _UnreadableError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    if mark is None:
        return _UnreadableError(0, f"is not YAML: {what}")
    if "<document start>" in what:
        return _UnreadableError(mark.line + 1, "holds a second document; allowed: one mapping in each file")
    if "cannot start any token" in what:
        letter = text[mark.index : mark.index + 1]
        what = "a tab indents" if letter == "\t" else f"a value begins with '{letter}'"
    if (context := getattr(error, "context_mark", None)) and context.line != mark.line:
        what += f" ({error.context}, which began in line {context.line + 1})"
    hint = next((f"; allowed: {hint}" for sign, hint in _HINTS.items() if sign in what), "")
    return _UnreadableError(mark.line + 1, f"is not YAML: {what}{hint}")


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
        if first is None or (isinstance(first, yaml.ScalarEvent) and first.implicit[0] and first.value in _NULL):
            raise _UnreadableError(0, f"is empty; {_MAPPING_WANTED}")
        if not isinstance(first, yaml.MappingStartEvent):
            raise _UnreadableError(first.start_mark.line + 1, f"holds {_kind(first)}; {_MAPPING_WANTED}")
        value = self._value(())
        return None if value is UNREAD else value

    def _value(self, path: KeyPath) -> Any:
        event = self.events[self.next]
        line = event.start_mark.line + 1
        self.count += 1
        _stay_small(self.count, len(path), line)
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
