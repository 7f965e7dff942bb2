"""All parts as one file, of the format that its name says."""

import csv
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from snaketorch.errors import UserError
from snaketorch.inference.batch.parts import Parts
from snaketorch.inference.batch.table import in_schema, joined_schema, to_json, without_loss
from snaketorch.publish import whole_file


def check_name(path: Path) -> None:
    """UserError when the name of ``path`` says no format."""
    if path.suffix.lower() not in _WRITERS:
        raise UserError(f"{path}: predictions cannot be written so; allowed endings: {', '.join(_WRITERS)}")


def check_place(path: Path) -> None:
    """Makes the folder of ``path`` where it is missing. UserError when no file can be written there."""
    if path.is_dir():
        raise UserError(f"{path} is a folder; allowed: the name of a file to write")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}: {error.filename}") from error
    if not os.access(path.parent, os.W_OK):
        raise UserError(f"{path} cannot be written: you may not write to {path.parent}")


def check_is_not_read(written: Iterable[Path], read: Iterable[Path]) -> None:
    """UserError when one of the files to write is one of those to read, which would be gone."""
    files = {path.resolve() for path in read}
    for path in written:
        if path.resolve() in files:
            raise UserError(f"{path} is one of the files to predict; allowed: another name")


def publish(path: Path, parts: Parts) -> None:
    """Writes all parts to ``path``, of which never more than one is in memory."""
    with whole_file(path) as temporary:
        _WRITERS[path.suffix.lower()](temporary, parts)


def _write_parquet(path: Path, parts: Parts) -> None:
    schema = _schema(parts)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in parts.tables():
            writer.write_table(in_schema(table, schema))


def _write_json_lines(path: Path, parts: Parts) -> None:
    schema = _schema(parts)
    with path.open("w", encoding="utf-8") as file:
        for table in parts.tables():
            file.writelines(f"{to_json(row)}\n" for row in in_schema(table, schema).to_pylist())


def _write_csv(path: Path, parts: Parts) -> None:
    schema = _schema(parts)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(schema.names)
        for table in parts.tables():
            for row in in_schema(table, schema).to_pylist():
                writer.writerow([_cell(value) for value in row.values()])


def _schema(parts: Parts) -> pa.Schema:
    """Of all parts."""
    schema = joined_schema(parts.schemas())
    if all(part.equals(schema) for part in parts.schemas()):
        return schema
    for table in parts.tables():
        schema = without_loss(table, schema)
    return schema


def _cell(value: Any) -> Any:
    """Lists as JSON, bytes in base64; what is missing as nothing."""
    if isinstance(value, bytes):
        return json.loads(to_json(value))
    return to_json(value) if isinstance(value, list | dict) else value


_WRITERS: dict[str, Callable[[Path, Parts], None]] = {
    ".parquet": _write_parquet,
    ".jsonl": _write_json_lines,
    ".csv": _write_csv,
}
