"""JSON-lines files of which the values may be lists, as arrays of numbers are written."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from snaketorch.data.files.json_lines import LINES_FOR_NAMES
from snaketorch.data.files.lines import read_lines
from snaketorch.data.files.tabular import CHUNK_CHARACTERS
from snaketorch.errors import DataError
from snaketorch.inference.reading.part import PART_ROWS


class Objects(NamedTuple):
    """Some lines of a file."""

    places: list[int]
    """The line of each object, from 1."""
    columns: list[list[Any]]
    """As asked for; None where an object has no such key."""
    bad: list[tuple[int, str]]
    """Lines that hold no object, and why."""


class JsonObjects:
    """A JSON object on every line, its values as they are."""

    place = "line"

    def __init__(self, path: Path):
        self.path = path
        seen = list(islice(self._lines(), LINES_FOR_NAMES))
        objects = [found for _, found, _ in seen if isinstance(found, dict)]
        if not objects:
            said = f"line {seen[0][0]} {seen[0][1]}" if seen else "there is no object"
            raise DataError(f"{path}: {said}; allowed: a JSON object on every line")
        self.columns = tuple(dict.fromkeys(key for found in objects for key in found))

    def chunks(self, columns: Sequence[str]) -> Iterator[Objects]:
        chunk, size = Objects([], [[] for _ in columns], []), 0
        for line, found, length in self._lines():
            if isinstance(found, str):
                chunk.bad.append((line, found))
            else:
                chunk.places.append(line)
                for cells, name in zip(chunk.columns, columns, strict=True):
                    cells.append(found.get(name))
            size += length
            if len(chunk.places) + len(chunk.bad) == PART_ROWS or size > CHUNK_CHARACTERS:
                yield chunk
                chunk, size = Objects([], [[] for _ in columns], []), 0
        if chunk.places or chunk.bad:
            yield chunk

    def _lines(self) -> Iterator[tuple[int, dict[str, Any] | str, int]]:
        """Each line's number, its object or what is wrong with it, and its length."""
        for line in read_lines(self.path):
            if line.trouble:
                yield line.number, line.trouble, len(line.text)
            elif line.text.strip():
                yield line.number, _object(line.text), len(line.text)


def _object(text: str) -> dict[str, Any] | str:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        return f"is no JSON: {error.msg} (column {error.colno})"
    except (ValueError, RecursionError) as error:
        return f"is no usable JSON: {error}"
    if "\\ud" in text.lower() and not _is_unicode(found):
        return "holds half a surrogate pair"
    return found if isinstance(found, dict) else "is no object"


def _is_unicode(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
