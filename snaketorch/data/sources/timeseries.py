"""One series with a time column from CSV or Parquet, or labelled sequences from `.ts` files."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snaketorch.config.problems import listed
from snaketorch.config.sources import TimeseriesSource
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.files.open import FORMATS, open_table
from snaketorch.data.files.tabular import TabularFile
from snaketorch.data.files.values import MISSING_NUMBERS, as_numbers, as_text, is_number, is_text, plain
from snaketorch.data.raw.sequences import RawSequences
from snaketorch.data.raw.series import RawSeries
from snaketorch.data.sources.columns import check_column, choose_columns
from snaketorch.data.sources.dates import read_times
from snaketorch.data.sources.memory import check_memory
from snaketorch.data.sources.ts_format import TsFile, read_ts
from snaketorch.errors import DataError

MEMORY_RATIO = 3
"""Memory that numbers take at the peak over what they take as text, with eight digits or so."""


def load(spec: PrepareSpec) -> RawSeries | RawSequences:
    """The series, or the sequences, of the files that ``spec.source`` names.

    DataError for what cannot be read, with file and line.
    """
    options = spec.source
    if options.path.lower().endswith(".ts"):
        return _load_sequences(options)
    if not options.path.lower().endswith(tuple(FORMATS)):
        raise DataError(
            f"{options.path}: this is not the name of a file of rows; allowed endings: {', '.join(FORMATS)}, .ts"
        )
    return _load_series(options, open_table(options.path))


def _load_series(options: TimeseriesSource, file: TabularFile) -> RawSeries:
    names = _choose(options, file)
    _check_memory(file.path)
    times, values, places = [], [], []
    for chunk in file.chunks([options.time, *names]):
        if chunk.bad:
            line, why = chunk.bad[0]
            raise DataError(f"{_place(file, line)}: the row {why}; allowed: rows of UTF-8 text as the header has them")
        time, *columns = (plain(column) for column in chunk.columns)
        places.append(chunk.places)
        times.append(_without_words_for_missing(time))
        values.append(_numbers(file, names, columns, chunk.places))
    rows = np.concatenate(places)
    if not len(rows):
        raise DataError(f"{file.path}: there are no rows; at least one is needed")
    time, unit = read_times(
        pa.chunked_array(times, times[0].type), options.time, lambda row: _place(file, int(rows[row]))
    )
    left_out = [name for name in file.columns if name not in (options.time, *names)]
    return RawSeries(
        values=np.concatenate(values),
        names=tuple(names),
        units=("",) * len(names),
        time=time,
        time_unit=unit,
        facts={"columns left out": left_out} if left_out else {},
    )


def _check_memory(path: Path) -> None:
    check_memory(f"{path}: all its rows", MEMORY_RATIO * path.stat().st_size, "Cut the file")


def _choose(options: TimeseriesSource, file: TabularFile) -> list[str]:
    check_column("time", options.time, file.columns, str(file.path))
    names = choose_columns(options.columns, [name for name in file.columns if name != options.time])
    if not names:
        raise DataError(f"{file.path}: there is no column but '{options.time}'; at least one channel is needed")
    return names


def _without_words_for_missing(time: pa.Array) -> pa.Array:
    """Times as they are, but null for an empty text, `NA` and the like."""
    if not is_text(time.type):
        return time
    text = as_text(time)
    return pc.if_else(pc.is_in(pc.utf8_lower(text), pa.array(MISSING_NUMBERS)), None, text)


def _numbers(file: TabularFile, names: Sequence[str], columns: Sequence[pa.Array], places: np.ndarray) -> np.ndarray:
    """Columns as float64, (rows, columns), NaN where a value is missing."""
    values = np.empty((len(places), len(names)))
    for index, (name, column) in enumerate(zip(names, columns, strict=True)):
        if not (is_text(column.type) or is_number(column.type) or pa.types.is_null(column.type)):
            raise DataError(
                f"{file.path}: column '{name}' holds {column.type}, no numbers; allowed: channels that are numbers. "
                "List those to take in source.columns"
            )
        values[:, index], wrong = as_numbers(column)
        if wrong:
            row, why = min(wrong.items())
            hint = "" if why == "infinite" else ". List the columns to take in source.columns"
            raise DataError(
                f"{_place(file, places[row])}: '{name}' is {why}; allowed: finite numbers, or missing{hint}"
            )
    return values


def _place(file: TabularFile, number: int) -> str:
    """`FILE:LINE`, or `FILE: row ROW`."""
    return f"{file.path}:{number}" if file.place == "line" else f"{file.path}: {file.place} {number}"


def _load_sequences(options: TimeseriesSource) -> RawSequences:
    for path in filter(None, (options.path, options.test_path)):
        if Path(path).is_file():
            _check_memory(Path(path))
    train_path = Path(options.path)
    train = read_ts(train_path)
    parts: list[tuple[Path, TsFile]] = [(train_path, train)]
    if options.test_path is not None:
        test_path = Path(options.test_path)
        test = read_ts(test_path)
        if set(test.classes) != set(train.classes):
            raise DataError(
                f"{test_path}: its classes are {listed(test.classes)}, those of {train_path} are "
                f"{listed(train.classes)}; allowed: the same classes in both"
            )
        if test.values[0].shape[1] != train.values[0].shape[1]:
            raise DataError(
                f"{test_path}: its cases have {test.values[0].shape[1]} dimensions, those of {train_path} "
                f"{train.values[0].shape[1]}; allowed: the same number in both"
            )
        parts.append((test_path, test))
    count, channels = len(train.values), train.values[0].shape[1]
    total = sum(len(part.values) for _, part in parts)
    return RawSequences(
        values=[values for _, part in parts for values in part.values],
        channels=("value",) if channels == 1 else tuple(f"dimension {index + 1}" for index in range(channels)),
        labels=np.concatenate([_in_order(part, train.classes) for _, part in parts]),
        classes=train.classes,
        names=[name for path, part in parts for name in _names(path, part)],
        given={"train": np.arange(count), "test": np.arange(count, total)} if len(parts) > 1 else {},
    )


def _in_order(part: TsFile, classes: tuple[str, ...]) -> np.ndarray:
    """The labels of ``part`` as indices into ``classes``, which its own header may have in another order."""
    order = np.array([classes.index(name) for name in part.classes], np.int64)
    return order[part.labels]


def _names(path: Path, part: TsFile) -> Iterator[str]:
    return (f"{path.name} line {line}" for line in part.lines)
