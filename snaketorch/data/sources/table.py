"""Rows of a CSV, TSV, JSON-lines or Parquet file: columns of numbers and of categories, and a target."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from snaketorch.config.datasets import Split
from snaketorch.config.problems import did_you_mean, listed
from snaketorch.config.sources import TableSource
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.bad_rows import BadRows
from snaketorch.data.class_names import ClassNames, check_classes
from snaketorch.data.files.open import open_table
from snaketorch.data.files.tabular import Chunk, TabularFile
from snaketorch.data.files.values import NO_NUMBER, ColumnSurvey, as_numbers, as_text, is_usable, plain
from snaketorch.data.raw.rows import RawRows
from snaketorch.data.row_names import PlaceNames
from snaketorch.data.sources.columns import check_column, choose_columns
from snaketorch.data.sources.memory import check_memory
from snaketorch.errors import DataError

log = logging.getLogger(__name__)

CELL_BYTES = 40
"""Memory that a cell takes at the peak: as it is read, in the whole table, in the arrays, while these are examined."""


def load(spec: PrepareSpec) -> RawRows:
    """The rows of ``spec.source``, read twice: to see which columns are numbers, and to take them.

    A column is one of numbers when at least half of its values are; then a value that is none is bad
    data. Numbers with zeros in front, such as postal codes, are text. Values of text are trimmed.

    DataError names the file, the column and the row of what is wrong.
    """
    source: TableSource = spec.source
    file = open_table(source.path)
    columns = _columns(source, file.columns)
    _check_types(file, [*columns, source.target])
    numbers, rows = _numbers(file, columns, source.categorical)
    _check_memory(source, rows, len(columns))
    table = _Table(source, {name: _Numbers() if name in numbers else _Categories() for name in columns})
    bad = BadRows(spec.prepare, source.path)
    parts = [(file.place, table.read(file, file.place, bad))]
    if source.test_path is not None:
        test = open_table(source.test_path)
        for name in (*columns, source.target):
            check_column("test_path", name, test.columns, source.test_path)
        _check_types(test, [*columns, source.target])
        place = f"{test.path.name}, {test.place}"
        parts.append((place, table.read(test, place, bad)))
    counts = [len(places) for _, places in parts]
    hint = _hint(columns, numbers, table.with_text) if sum(counts) else "Are the columns named in the first line? "
    skipped = bad.settle(sum(counts) + len(bad), hint)
    if 0 in counts:
        raise DataError(f"{source.path if not counts[0] else source.test_path}: there is no row below the header")
    log.info("%d rows; numbers: %s; categories: %s", sum(counts), _say(numbers), _say(set(columns) - numbers))
    target, classes = table.target(spec.split)
    return RawRows(
        table=pa.table({name: column.finish() for name, column in table.columns.items()}),
        target=target,
        target_name=source.target,
        classes=classes,
        names=PlaceNames(*parts),
        given={"test": np.arange(counts[0], sum(counts))} if len(counts) > 1 else {},
        skipped=skipped,
    )


def _columns(source: TableSource, there: Sequence[str]) -> list[str]:
    check_column("target", source.target, there, source.path)
    columns = [name for name in choose_columns(source.columns, there) if source.columns or name != source.target]
    if source.target in columns:
        raise DataError(f"source.columns: '{source.target}' is the target; allowed: other columns")
    if not columns:
        raise DataError(f"{source.path}: there is no column besides the target '{source.target}'")
    if "" in columns:
        raise DataError(
            f"{source.path}: column {list(there).index('') + 1} has no name (the index that pandas writes?); "
            "name it, or list the columns to take in source.columns"
        )
    for name in source.categorical or ():
        if name not in columns:
            raise DataError(
                f"source.categorical: '{name}' is not among the columns{did_you_mean(name, columns)}; "
                f"allowed: {listed(columns)}"
            )
    return columns


def _check_types(file: TabularFile, columns: Sequence[str]) -> None:
    for name, column in zip(columns, next(file.chunks(columns)).columns, strict=True):
        if not is_usable(plain(column).type):
            raise DataError(
                f"{file.path}: column '{name}' holds {column.type}; allowed: numbers, text, dates, true and false. "
                "List the columns to take in source.columns"
            )


def _numbers(file: TabularFile, columns: Sequence[str], categorical: Sequence[str] | None) -> tuple[set[str], int]:
    """Which columns hold numbers, all but the ``categorical`` ones when these are named; and the number of rows."""
    surveys: dict[str, ColumnSurvey] = {name: ColumnSurvey() for name in columns}
    rows = 0
    for chunk in file.chunks(columns):
        rows += len(chunk.places)
        for name, column in zip(columns, chunk.columns, strict=True):
            surveys[name].add(plain(column))
    for name, survey in surveys.items():
        if rows and not survey.values:
            raise DataError(f"{file.path}: column '{name}' has no values; list the columns to take in source.columns")
        if survey.codes and categorical is None:
            log.info("'%s' has numbers with zeros in front, as codes have: taken as a category", name)
    if categorical is not None:
        return set(columns) - set(categorical), rows
    return {name for name, survey in surveys.items() if survey.is_number}, rows


def _check_memory(source: TableSource, rows: int, columns: int) -> None:
    """Says, before they are read, when rows will hardly fit into the memory. DataError when they will not."""
    if source.test_path is not None and Path(source.test_path).is_file():  # as many rows a byte
        rows += rows * Path(source.test_path).stat().st_size // Path(source.path).stat().st_size
    check_memory(
        f"{source.path}: {rows:,} rows of {columns} columns",
        rows * (columns + 1) * CELL_BYTES,
        "Take fewer columns (source.columns)",
    )


def _hint(columns: Sequence[str], numbers: set[str], with_text: set[str]) -> str:
    texts = numbers & with_text
    if not texts:
        return ""
    categories = [name for name in columns if name in texts or name not in numbers]
    return f"Where text is right, say which columns are categories: `categorical: [{', '.join(categories)}]`. "


def _say(names: set[str]) -> str:
    return listed(sorted(names)) if names else "none"


@dataclass
class _Numbers:
    """A column of numbers under way."""

    parts: list[np.ndarray] = field(default_factory=list)

    def read(self, column: pa.Array) -> tuple[np.ndarray, dict[int, str]]:
        return as_numbers(column)

    def finish(self) -> pa.Array:
        values = np.concatenate(self.parts)
        self.parts.clear()
        return pa.array(values, from_pandas=True)


@dataclass
class _Categories:
    """A column of categories under way; a missing value is -1."""

    parts: list[np.ndarray] = field(default_factory=list)
    values: ClassNames = field(default_factory=ClassNames)

    def read(self, column: pa.Array) -> tuple[np.ndarray, dict[int, str]]:
        encoded = as_text(column).dictionary_encode()
        numbers = np.array([*map(self.values.number, encoded.dictionary.to_pylist()), -1], np.int64)
        codes = encoded.indices.fill_null(len(numbers) - 1).to_numpy(zero_copy_only=False)
        return numbers[codes], {}

    def finish(self) -> pa.Array:
        codes = np.concatenate(self.parts)
        self.parts.clear()
        return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32), mask=codes < 0), list(self.values))


class _Table:
    """All columns and the target, under way."""

    def __init__(self, source: TableSource, columns: dict[str, _Numbers | _Categories]):
        self.columns = columns
        self.with_text: set[str] = set()
        """Columns of numbers in which some text is."""
        self._source = source
        self._target = _Categories() if source.predict == "class" else _Numbers()

    def read(self, file: TabularFile, place: str, bad: BadRows) -> np.ndarray:
        """Takes the good rows of ``file``; gives their places."""
        places = [np.zeros(0, np.int64)]
        for chunk in file.chunks([*self.columns, self._source.target]):
            wrong = dict(chunk.bad)
            places.append(self._take(chunk, wrong))
            for number in sorted(wrong):
                bad.add(f"{place} {number}", wrong[number])
        return np.concatenate(places)

    def _take(self, chunk: Chunk, wrong: dict[int, str]) -> np.ndarray:
        """The places of the good rows of ``chunk``; adds to ``wrong``, by place, why others are not."""
        good = np.ones(len(chunk.places), bool)
        taken = []
        columns = {**self.columns, self._source.target: self._target}
        for (name, column), cells in zip(columns.items(), chunk.columns, strict=True):
            values, odd = column.read(plain(cells))
            if column is self._target:
                missing = np.flatnonzero(values < 0 if values.dtype == np.int64 else np.isnan(values))
                odd = dict.fromkeys(missing.tolist(), "missing") | odd
            for row, why in odd.items():
                good[row] = False
                wrong.setdefault(int(chunk.places[row]), f"'{name}' is {why}")
                if why.endswith(NO_NUMBER):
                    self.with_text.add(name)
            taken.append((column, values))
        for column, values in taken:
            column.parts.append(values[good])
        return chunk.places[good]

    def target(self, split: Split) -> tuple[np.ndarray, tuple[str, ...]]:
        """Labels and classes, or numbers and none."""
        values = np.concatenate(self._target.parts)
        if isinstance(self._target, _Numbers):
            return values, ()
        labels, classes = self._target.values.sort(values)
        source, if_numbers = self._source, "to learn a number, set `predict: number`"
        check_classes(source.path, source.target, labels, classes, split, source.test_path is not None, if_numbers)
        return labels, classes
