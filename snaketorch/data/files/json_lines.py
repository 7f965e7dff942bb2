"""JSON-lines files: an object a line."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from snaketorch.data.files.lines import read_lines
from snaketorch.data.files.tabular import CHUNK_CHARACTERS, CHUNK_ROWS, Chunk, text_chunk
from snaketorch.errors import DataError

LINES_FOR_NAMES = 100
"""The columns are the keys of the objects in this many lines; a key may be absent here and there."""


class JsonLinesFile:
    """A file with a JSON object on every line, as UTF-8; all values are given as text, null where there is none."""

    place = "line"

    def __init__(self, path: Path):
        self.path = path
        records = list(islice(self._records(), LINES_FOR_NAMES))
        objects = [record for _, record in records if isinstance(record, dict)]
        if not objects:
            said = f"line {records[0][0]} {records[0][1]}" if records else "there is no object"
            raise DataError(f"{path}: {said}; allowed: a JSON object on every line")
        self.columns = tuple(dict.fromkeys(key for record in objects for key in record))

    def chunks(self, columns: Sequence[str]) -> Iterator[Chunk]:
        places: list[int] = []
        cells: list[list[str | None]] = []
        bad: list[tuple[int, str]] = []
        size = 0
        for line, record in self._records():
            try:
                if isinstance(record, str):
                    raise ValueError(record)
                row = [_as_text(name, record.get(name)) for name in columns]
            except ValueError as error:
                bad.append((line, str(error)))
            else:
                places.append(line)
                cells.append(row)
                size += sum(len(cell or "") for cell in row)
            if len(places) + len(bad) == CHUNK_ROWS or size > CHUNK_CHARACTERS:
                yield text_chunk(places, cells, bad, len(columns))
                places, cells, bad, size = [], [], [], 0
        yield text_chunk(places, cells, bad, len(columns))

    def _records(self) -> Iterator[tuple[int, dict[str, Any] | str]]:
        """Each object with its line, or what is wrong with that line."""
        for line in read_lines(self.path):
            if line.trouble:
                yield line.number, line.trouble
            elif line.text.strip():
                try:
                    record = json.loads(line.text.rstrip())
                except json.JSONDecodeError as error:
                    yield line.number, f"is no JSON: {error.msg} (column {error.colno})"
                except (ValueError, RecursionError) as error:
                    yield line.number, f"is no usable JSON: {error}"
                else:
                    yield line.number, record if isinstance(record, dict) else f"is {_kind(record)}, not an object"


def _as_text(name: str, value: Any) -> str | None:
    if isinstance(value, list | dict):
        raise ValueError(f"'{name}' is {_kind(value)}, not text")
    if isinstance(value, str):
        # half a surrogate pair can be written as \ud800, but stands for nothing
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError(f"'{name}' has half a surrogate pair; allowed: Unicode text")
        return value
    return None if value is None else json.dumps(value)


def _kind(value: Any) -> str:
    names = {list: "a list", dict: "an object", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
