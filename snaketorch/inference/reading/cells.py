"""Cells of files as a model takes them: nested lists, bytes, whole numbers that stand there as text."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from snaketorch.data.files.values import as_numbers, as_text, is_usable, plain
from snaketorch.inference.columns import Column

Cells = pa.Array | list[Any]
"""Of a column: as a file with types has them, or as JSON has them."""


def samples_of(column: Column, cells: Cells) -> list[Any]:
    """The cells of a column that the model reads.

    What is not what it should be stays as it is, for the model to say; it also reads numbers that are text.
    """
    if column.type == "image" or column.shape is not None:
        return [_nested(cell) for cell in cells]
    found = values_of(cells)
    return [_whole(value) for value in found] if column.type == "long" else found


def values_of(cells: Cells) -> list[Any]:
    """The cells of a column that is carried along."""
    return cells if isinstance(cells, list) else plain(cells).to_pylist()


def classes_of(cells: Cells) -> list[Any]:
    """The cells of a column of classes as the training data have them: text without white space around it."""
    return _told(cells, lambda column: as_text(column).to_pylist())


def numbers_of(cells: Cells) -> list[Any]:
    """The cells of a column of numbers; None where there is none."""

    def numbers(column: pa.Array) -> list[float | None]:
        values, wrong = as_numbers(column)
        return [None if place in wrong or np.isnan(value) else value for place, value in enumerate(values.tolist())]

    return _told(cells, numbers)


def _told(cells: Cells, tell: Callable[[pa.Array], list[Any]]) -> list[Any]:
    if isinstance(cells, list):
        cells = pa.array([_as_text(cell) for cell in cells], pa.string())
    cells = plain(cells)
    return tell(cells) if is_usable(cells.type) else [None] * len(cells)


def _as_text(cell: Any) -> str | None:
    return cell if isinstance(cell, str | None) else json.dumps(cell)


def _whole(value: Any) -> Any:
    if isinstance(value, str) and value.strip().lstrip("+-").isdecimal():
        return int(value)
    return value


def _nested(cell: Any) -> Any:
    """Bytes, text, or an array; a list that stands in a cell of text is JSON."""
    if isinstance(cell, pa.ListScalar | pa.LargeListScalar | pa.FixedSizeListScalar):
        return _array(cell)
    value = cell.as_py() if isinstance(cell, pa.Scalar) else cell
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _array(cell: pa.Scalar) -> Any:
    """Nested lists as one array; as lists where they are of several lengths, None where there is nothing."""
    if not cell.is_valid:
        return None
    values, shape = cell.values, [len(cell.values)]
    while isinstance(values, pa.ListArray | pa.LargeListArray | pa.FixedSizeListArray):
        lengths = {len(part) if part.is_valid else None for part in values}
        if len(lengths) != 1 or None in lengths:
            return cell.as_py()
        shape.append(lengths.pop())
        values = values.flatten()
    if values.null_count or not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        return cell.as_py()
    return values.to_numpy(zero_copy_only=False).reshape(shape)
