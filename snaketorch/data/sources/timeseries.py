"""One series with a time column from CSV or Parquet, or labelled sequences from `.ts` files."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from snaketorch.config.problems import listed, shortened
from snaketorch.config.sources import TimeseriesSource
from snaketorch.config.specs import PrepareSpec
from snaketorch.data.raw.sequences import RawSequences
from snaketorch.data.raw.series import RawSeries
from snaketorch.data.sources.columns import check_column, choose_columns
from snaketorch.data.sources.dates import read_times
from snaketorch.data.sources.encoding import check_utf8, open_text
from snaketorch.data.sources.ts_format import TsFile, read_ts
from snaketorch.errors import DataError

_MISSING = ["", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "?"]
"""What stands in a CSV file where a value is missing."""


def load(spec: PrepareSpec) -> RawSeries | RawSequences:
    """The series, or the sequences, of the files that ``spec.source`` names.

    DataError for what cannot be read, with file and line.
    """
    options, path = spec.source, Path(spec.source.path)
    if path.is_dir():
        raise DataError(f"{path}: this is a folder; allowed: one .csv, .tsv, .parquet or .ts file")
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    suffix = path.suffix.lower()
    if suffix == ".ts":
        return _load_sequences(options)
    if suffix not in (".csv", ".tsv", ".parquet"):
        raise DataError(f"{path}: the suffix '{path.suffix}' is not known; allowed: .csv, .tsv, .parquet, .ts")
    return _load_series(options, _read_parquet(path, options) if suffix == ".parquet" else _read_csv(path, options))


@dataclass(frozen=True, eq=False)
class _Table:
    """The columns of a file that are asked for."""

    path: Path
    time: pa.ChunkedArray
    values: np.ndarray
    """float64, (rows, channels)."""
    names: list[str]

    def place(self, row: int) -> str:
        """Where a row stands: `FILE:LINE`, or `FILE: row ROW`."""
        return _place(self.path, row)


def _load_series(options: TimeseriesSource, table: _Table) -> RawSeries:
    if not len(table.time):
        raise DataError(f"{table.path}: there are no rows; at least one is needed")
    infinite = np.argwhere(np.isinf(table.values))
    if len(infinite):
        row, channel = infinite[0]
        raise DataError(
            f"{table.place(row)}: '{table.names[channel]}' is infinite; allowed: finite numbers, or missing"
        )
    time, unit = read_times(table.time, options.time, table.place)
    return RawSeries(
        values=table.values,
        names=tuple(table.names),
        units=("",) * len(table.names),
        time=time,
        time_unit=unit,
    )


def _choose(options: TimeseriesSource, there: list[str], path: Path) -> list[str]:
    twice = sorted({name for name in there if there.count(name) > 1})
    if twice:
        raise DataError(f"{path}: column {listed(map(repr, twice))} is there twice; allowed: each name once")
    check_column("time", options.time, there, str(path))
    names = choose_columns(options.columns, [name for name in there if name != options.time])
    if not names:
        raise DataError(f"{path}: there is no column but '{options.time}'; at least one channel is needed")
    return names


def _read_csv(path: Path, options: TimeseriesSource) -> _Table:
    check_utf8(path)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    # as text, so that a value that is no number can be shown with its line
    parse = pa.csv.ParseOptions(delimiter=delimiter)
    try:
        with pa.csv.open_csv(path, parse_options=parse) as stream:
            there = stream.schema.names
        if len(there) == 1 and any(other in there[0] for other in ",;\t|"):
            raise DataError(
                f"{path}: the only column is '{shortened(there[0])}'; allowed: columns with "
                f"{'tabs' if delimiter != ',' else 'commas'} between"
            )
        names = _choose(options, there, path)
        convert = pa.csv.ConvertOptions(
            column_types=dict.fromkeys([options.time, *names], pa.string()),
            include_columns=[options.time, *names],
            null_values=_MISSING,
            strings_can_be_null=True,
        )
        times, values, row = [], [], 0
        with pa.csv.open_csv(path, parse_options=parse, convert_options=convert) as stream:
            for batch in stream:
                times.append(batch.column(0))
                values.append(np.stack([_numbers(batch, name, path, row) for name in names], axis=1))
                row += len(batch)
    except pa.ArrowInvalid as error:
        raise DataError(f"{path}: the file cannot be read: {shortened(str(error), 200)}") from error
    return _Table(
        path, pa.chunked_array(times, pa.string()), np.concatenate([np.empty((0, len(names))), *values]), names
    )


def _read_parquet(path: Path, options: TimeseriesSource) -> _Table:
    try:
        with pa.parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
            names = _choose(options, schema.names, path)
            times, values, row = [], [], 0
            for batch in file.iter_batches(columns=[options.time, *names]):
                times.append(batch.column(options.time))
                values.append(np.stack([_numbers(batch, name, path, row) for name in names], axis=1))
                row += len(batch)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path}: this is no Parquet file that can be read: {shortened(str(error), 200)}") from error
    time_type = schema.field(options.time).type
    return _Table(path, pa.chunked_array(times, time_type), np.concatenate([np.empty((0, len(names))), *values]), names)


def _numbers(batch: pa.RecordBatch, name: str, path: Path, first_row: int) -> np.ndarray:
    """A column as float64, NaN where it is missing; ``first_row``: of the batch in the file."""
    column = batch.column(name)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)):
        if not pa.types.is_string(column.type):
            raise DataError(
                f"{path}: column '{name}' holds {column.type}, no numbers; allowed: channels that are numbers. "
                "List those to take in source.columns"
            )
        column = pc.utf8_trim_whitespace(column)
    try:
        numbers = column.cast(pa.float64())
    except pa.ArrowInvalid:
        row, text = next((row, text) for row, text in enumerate(column.to_pylist()) if not _is_number(text))
        comma = " (a decimal comma? write a point)" if "," in text else ""
        raise DataError(
            f"{_place(path, first_row + row)}: '{name}' is '{shortened(text)}', which is no number{comma}; allowed: "
            "numbers. List the columns to take in source.columns"
        ) from None
    return numbers.fill_null(float("nan")).to_numpy(zero_copy_only=False)


def _is_number(text: str | None) -> bool:
    try:
        pa.scalar(text, pa.string()).cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def _place(path: Path, row: int) -> str:
    if path.suffix.lower() == ".parquet":
        return f"{path}: row {row}"
    with open_text(path) as stream:
        lines = (number for number, line in enumerate(stream, start=1) if line.strip("\r\n"))
        return f"{path}:{next(islice(lines, int(row) + 1, None))}"  # one for the names of the columns


def _load_sequences(options: TimeseriesSource) -> RawSequences:
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
