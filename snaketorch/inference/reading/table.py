"""Rows of CSV, TSV, JSON-lines and Parquet files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from snaketorch.config.problems import did_you_mean, listed
from snaketorch.data.files.lines import open_bytes
from snaketorch.data.files.open import FORMATS, open_table
from snaketorch.data.files.tabular import Chunk
from snaketorch.errors import DataError
from snaketorch.inference.columns import Column
from snaketorch.inference.reading.cells import Cells, samples_of, values_of
from snaketorch.inference.reading.json_objects import JsonObjects, Objects
from snaketorch.inference.reading.parquet_rows import ParquetRows
from snaketorch.inference.reading.part import SOURCE, Part, Read, Unreadable

TableFile = ParquetRows | JsonObjects
_READ_BYTES = 1 << 20


def open_rows(path: Path) -> TableFile:
    """The file of rows at ``path``. DataError when its name or its beginning is not that of one."""
    name = path.name.lower()
    if not path.is_file() or not name.endswith(tuple(FORMATS)):
        return open_table(str(path))  # which says what is wrong
    if name.endswith(".parquet"):
        return ParquetRows(path)
    return JsonObjects(path) if name.endswith((".jsonl", ".jsonl.gz")) else open_table(str(path))


class Table:
    """Rows of one file, with the columns that the model reads and those that are carried along."""

    def __init__(
        self,
        path: Path,
        inputs: Sequence[Column],
        keep: Sequence[str] = (),
        *,
        called: Mapping[str, str] | None = None,
        convert: Mapping[str, Callable[[Cells], list]] | None = None,
    ):
        """Of the file at ``path``.

        Args:
            path: See ``open_rows``.
            inputs: What the model reads.
            keep: Columns to carry along.
            called: For some of these columns another name that they have in the file.
            convert: For some kept columns what makes values of its cells.

        Raises:
            DataError: The file is no table, or has not all of the columns.
        """
        self.files, self._file = [path], open_rows(path)
        self._inputs, self._keep = list(inputs), list(keep)
        self._called, self._convert = dict(called or {}), dict(convert or {})
        self._columns = [self._called.get(name, name) for name in (*(column.name for column in inputs), *keep)]
        for name in self._columns:
            if name not in self._file.columns:
                there = self._file.columns
                hint = did_you_mean(name, there)
                raise DataError(f"{path}: there is no column '{name}'{hint}; the file has {listed(there, 20)}")
        self.most_rows = self._file.rows if isinstance(self._file, ParquetRows) else _lines(path)

    def parts(self) -> Iterator[Read]:
        names = list(dict.fromkeys(self._columns))
        for chunk in self._file.chunks(names):
            if len(chunk.places) or chunk.bad:
                yield partial(self._read, chunk, names)

    def _read(self, chunk: Chunk | Objects, names: Sequence[str]) -> Part:
        cells = dict(zip(names, chunk.columns, strict=True))
        samples = {
            column.name: pd.Series(samples_of(column, cells[name]), dtype=object)
            for column, name in zip(self._inputs, self._columns, strict=False)
        }
        beside = {SOURCE: [self._place(number) for number in chunk.places]}
        for key, name in zip(self._keep, self._columns[len(self._inputs) :], strict=True):
            beside[key] = pd.Series(self._convert.get(key, values_of)(cells[name]), dtype=object)
        unreadable = [Unreadable(self._place(number), why) for number, why in chunk.bad]
        return Part(pd.DataFrame(samples), pd.DataFrame(beside, dtype=object), unreadable)

    def _place(self, number: int) -> str:
        """`FILE:LINE`, or `FILE: row ROW`."""
        path = self._file.path
        return f"{path}:{number}" if self._file.place == "line" else f"{path}: {self._file.place} {number}"


def _lines(path: Path) -> int:
    """Lines of a text file, which has at most as many rows."""
    count = 1
    with open_bytes(path) as stream:
        while part := stream.read(_READ_BYTES):
            count += part.count(b"\n")
    return count
