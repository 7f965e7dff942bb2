"""YAML as its authors expect it: positions kept, nothing lost, no surprises.

PyYAML reads YAML 1.1, where ``no`` is false, ``1e-3`` is a string, ``012`` is ten, ``3:20`` is two
hundred, and the second of two equal keys wins without a word. Here plain scalars follow the core
schema of YAML 1.2.2 (https://yaml.org/spec/1.2.2/#103-core-schema), numbers with a leading zero and
equal keys are problems, and every value remembers its line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from snaketorch.config.problems import Problem

Position = tuple[str, int]
"""File and line."""

KeyPath = tuple[str | int, ...]

MAX_BYTES = 1_000_000
MAX_NODES = 20_000

_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE = {"true", "True", "TRUE"}
_FALSE = {"false", "False", "FALSE"}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NON_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class Document:
    """A file's content with the position of every key."""

    file: str
    data: Any = None
    positions: dict[KeyPath, Position] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def parse_scalar(text: str) -> Any:
    """The value of a plain (unquoted) scalar. ValueError for a number with a leading zero."""
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if _INT.fullmatch(text):
        return int(text)
    if _LEADING_ZERO.fullmatch(text):
        raise ValueError(f"'{text}' may be octal or decimal; allowed: the number without the leading zero, or quotes")
    if _OTHER_BASE.fullmatch(text):
        return int(text, base=0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NON_FINITE.fullmatch(text):
        return float(text.replace(".", "", 1) if text[0] in "+-" else text[1:])
    return text


def read_yaml(path: Path, shown_as: str) -> Document:
    """Reads one mapping from ``path``; what is wrong with it is in ``Document.problems``."""
    document = Document(shown_as)
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_BYTES:
            raise ValueError(f"is {len(raw):,} bytes long; allowed: {MAX_BYTES:,}")
        text = raw.decode("utf-8-sig")
        root = _compose(text)
        if root is None or (isinstance(root, yaml.ScalarNode) and root.value in _NULL):
            raise ValueError("is empty; allowed: a mapping of keys to values")
        if not isinstance(root, yaml.MappingNode):
            raise ValueError(f"holds {_kind(root)}; allowed: a mapping of keys to values")
    except UnicodeDecodeError as error:
        document.problems.append(Problem(shown_as, 0, "", f"is not UTF-8 (byte {error.start}); allowed: UTF-8 text"))
    except OSError as error:
        document.problems.append(Problem(shown_as, 0, "", f"cannot be read: {error.strerror}"))
    except ValueError as error:
        document.problems.append(Problem(shown_as, 0, "", str(error)))
    except yaml.YAMLError as error:
        document.problems.append(_syntax_problem(error, shown_as))
    else:
        document.data = _Builder(document).build(root, ())
    return document


def _compose(text: str) -> yaml.Node | None:
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _syntax_problem(error: yaml.YAMLError, shown_as: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).splitlines()[0]
    hint = ""
    if "cannot start any token" in what or "\t" in what or "tab" in what:
        hint = "; indent with spaces, not tabs, and quote values that start with a special character"
    if "another document" in what or "single document" in str(error):
        what, hint = "holds more than one document", "; allowed: one mapping in each file"
    if isinstance(error, yaml.reader.ReaderError):
        what, hint = "holds an unprintable character", "; allowed: text"
    return Problem(shown_as, mark.line + 1 if mark else 0, "", f"is not YAML: {what}{hint}")


def _kind(node: yaml.Node) -> str:
    return {"mapping": "a mapping", "sequence": "a list", "scalar": "a single value"}[node.id]


class _Builder:
    """Turns nodes into Python values, noting positions and problems."""

    def __init__(self, document: Document):
        self.document = document
        self.count = 0

    def build(self, node: yaml.Node, path: KeyPath) -> Any:
        self.count += 1
        if self.count > MAX_NODES:
            if self.count == MAX_NODES + 1:
                self._problem(node, path, f"more than {MAX_NODES:,} values (aliases counted); is this an experiment?")
            return None
        line = node.start_mark.line + 1
        self.document.positions.setdefault(path, (self.document.file, line))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if node.tag not in ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            return self._refuse_tag(node, path)
        if isinstance(node, yaml.MappingNode):
            return dict(self._items(node, path))
        return [self.build(child, (*path, index)) for index, child in enumerate(node.value)]

    def _items(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[str, Any]]:
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(key_node, path, f"{_kind(key_node)} cannot be a key; allowed: text")
                continue
            key = key_node.value
            if key == "<<":
                self._problem(key_node, path, "merge keys ('<<') are not read; use 'extends:' to share settings")
            elif key in lines:
                self._problem(key_node, (*path, key), f"duplicate key, first set in line {lines[key]}; allowed: once")
            else:
                lines[key] = line
                self.document.positions[(*path, key)] = (self.document.file, line)
                yield key, self.build(value_node, (*path, key))

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        if not node.tag.startswith("tag:yaml.org,2002:") or node.tag.startswith("tag:yaml.org,2002:python"):
            return self._refuse_tag(node, path)
        if node.style:  # quoted or a block: text as it stands
            return node.value
        try:
            return parse_scalar(node.value)
        except ValueError as error:
            self._problem(node, path, str(error))
            return None

    def _refuse_tag(self, node: yaml.Node, path: KeyPath) -> None:
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        self._problem(node, path, f"tag '{tag}' is not read; allowed: values without tags")

    def _problem(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        key = ".".join(map(str, path))
        self.document.problems.append(Problem(self.document.file, node.start_mark.line + 1, key, message))
