"""A part's predictions as columns: `source`, what is carried along, what the model says."""

import base64
import datetime
import json
import logging
import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from snaketorch.inference.columns import Column
from snaketorch.inference.reading.part import SOURCE

log = logging.getLogger(__name__)

GIVEN = "given_{name}"
_TYPES = {"string": pa.string(), "double": pa.float64(), "long": pa.int64()}


def table_of(beside: pd.DataFrame, answers: pd.DataFrame, outputs: Sequence[Column]) -> pa.Table:
    """Rows of one part; both frames have the same rows.

    A column that is carried along is called `given_NAME` where the model says something of that name.
    """
    said = {column.name for column in outputs}
    columns = {SOURCE: pa.array(list(beside[SOURCE]), pa.string())}
    for name in beside.columns:
        if name != SOURCE:
            columns[GIVEN.format(name=name) if name in said | {SOURCE} else name] = carried(list(beside[name]))
    for column in outputs:
        columns[column.name] = pa.array(list(answers[column.name]), _arrow(column), from_pandas=True)
    return pa.table(columns)


def carried(values: Sequence[Any]) -> pa.Array:
    """A column of any values; as JSON where they are of several types."""
    try:
        return pa.array([None if _is_nan(value) else value for value in values])
    except (pa.ArrowException, OverflowError):
        texts = [value if isinstance(value, str | None) else to_json(value) for value in values]
        return pa.array(texts, pa.string())


def joined_schema(schemas: Iterable[pa.Schema]) -> pa.Schema:
    """A schema that all parts can be cast to: a column of which parts disagree is text."""
    found: dict[str, pa.DataType] = {}
    for schema in schemas:
        for field in schema:
            before = found.get(field.name, field.type)
            try:
                both = [pa.schema([(field.name, kind)]) for kind in (before, field.type)]
                found[field.name] = pa.unify_schemas(both, promote_options="permissive").field(0).type
            except pa.ArrowException:
                found[field.name] = pa.string()
    return pa.schema(list(found.items()))


def without_loss(table: pa.Table, schema: pa.Schema) -> pa.Schema:
    """``schema`` with text for those of its numbers that a column of ``table`` cannot be without losing digits."""
    for place, field in enumerate(schema):
        if field.name in table.column_names and not pa.types.is_string(field.type):
            try:
                table[field.name].cast(field.type)
            except pa.ArrowException:
                schema = schema.set(place, pa.field(field.name, pa.string()))
    return schema


def in_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A part with the columns of all; null where it has none."""
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(len(table), field.type))
            continue
        column = table[field.name]
        try:
            columns.append(column.cast(field.type))
        except pa.ArrowException:  # lists have no text of their own
            texts = [None if value is None else to_json(value) for value in column.to_pylist()]
            columns.append(pa.array(texts, field.type))
    return pa.table(columns, schema=schema)


def to_json(value: Any) -> str:
    """JSON on one line, null for what is no finite number; bytes in base64."""
    return json.dumps(_finite(value), allow_nan=False, ensure_ascii=False, default=_other)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return {name: _finite(part) for name, part in value.items()} if isinstance(value, dict) else value


def _other(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)


def _arrow(column: Column) -> pa.DataType:
    kind = _TYPES[column.type]
    for _ in column.shape or ():
        kind = pa.list_(kind)
    return kind
