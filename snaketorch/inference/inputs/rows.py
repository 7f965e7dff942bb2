"""Rows of a table."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from snaketorch.data.files.values import as_numbers, as_text, is_usable, plain
from snaketorch.data.manifest import Manifest
from snaketorch.data.raw.rows import RawRows
from snaketorch.data.rows import category_codes, too_large
from snaketorch.inference.columns import Column
from snaketorch.inference.inputs.base import ROWS, SOURCE, TRUTH, Fields, Input, is_missing

MISSING = "is missing; training rows with missing values were refused"


class Rows(Input):
    """The columns of the training table, by their names: numbers, and categories as text."""

    def __init__(self, task, options, most_pixels):
        super().__init__(task, options, most_pixels)
        fields = self.facts["fields"]
        number, category = fields.get("number", {"names": []}), fields.get("category", {"names": [], "values": []})
        self.medians = dict(zip(number["names"], number.get("medians", ()), strict=False))
        self.values = dict(zip(category["names"], category["values"], strict=True))
        self.numbers, self.may_miss = number["names"], options.missing == "median"
        self.columns = [
            *(Column(name, "double", required=name not in self.medians) for name in self.numbers),
            *(Column(name, "string", required=not self.may_miss) for name in self.values),
        ]

    def read(self, rows: pd.DataFrame) -> tuple[Fields, dict[int, str]]:
        bad: dict[int, list[str]] = {}
        numbers = [self._numbers(name, rows[name], bad) for name in self.numbers]
        categories = [self._codes(name, rows[name], bad) for name in self.values]
        good = np.array([place for place in range(len(rows)) if place not in bad], np.int64)
        fields: Fields = {}
        if numbers:
            # of the bad ones a number may be too large
            fields["number"] = np.stack(numbers, axis=1)[good].astype(np.float32)
        if categories:
            fields["category"] = np.stack(categories, axis=1)[good]
        return fields, {place: "; ".join(why) for place, why in bad.items()}

    def example(self, manifest: Manifest, number: int) -> dict[str, Any]:
        arrays = manifest.arrays("train")
        numbers = arrays["number"][number].tolist() if self.numbers else []
        codes = arrays["category"][number].tolist() if self.values else []
        named = zip(self.values.items(), codes, strict=True)
        texts = {name: values[code - 1] if code else None for (name, values), code in named}
        return dict(zip(self.numbers, numbers, strict=True)) | texts

    def rows_of(self, raw: RawRows) -> Iterator[pd.DataFrame]:
        for start in range(0, len(raw.target), ROWS):
            part = raw.table.slice(start, ROWS)
            rows = range(start, start + len(part))
            columns = {name: _cells(column) for name, column in zip(part.column_names, part.columns, strict=True)}
            target = raw.target[start : start + len(part)].tolist()
            truth = [raw.classes[label] for label in target] if raw.classes else target
            columns = {name: columns[name] for name in columns if name in {*self.numbers, *self.values}}
            yield pd.DataFrame(columns | {SOURCE: [raw.names[row] for row in rows], TRUTH: truth})

    def _numbers(self, name: str, cells: pd.Series, bad: dict[int, list[str]]) -> np.ndarray:
        values, wrong = as_numbers(_column(cells))
        missing = np.isnan(values)
        missing[list(wrong)] = False
        for place, why in wrong.items():
            bad.setdefault(place, []).append(f"'{name}' is {why}")
        if name in self.medians:
            values = np.where(missing, self.medians[name], values)
        else:
            for place in np.flatnonzero(missing).tolist():
                bad.setdefault(place, []).append(f"'{name}' {MISSING}")
        for place, why in too_large(np.nan_to_num(values, posinf=0, neginf=0)).items():
            bad.setdefault(place, []).append(f"'{name}' {why}")
        return values

    def _codes(self, name: str, cells: pd.Series, bad: dict[int, list[str]]) -> np.ndarray:
        column, known = _column(cells), self.values[name]
        trimmed = as_text(column)
        if not self.may_miss:
            for place in np.flatnonzero(trimmed.is_null().to_numpy(zero_copy_only=False)).tolist():
                bad.setdefault(place, []).append(f"'{name}' {MISSING}")
        if pa.types.is_boolean(column.type) and not {"true", "false"} & set(known):
            trimmed = pc.utf8_capitalize(trimmed)  # as other programs write them
        # of some sources values with spaces around them are values of their own
        exact = category_codes(pc.cast(column, pa.string()).to_pylist(), known)
        return np.where(exact > 0, exact, category_codes(trimmed.to_pylist(), known))


def _cells(column: pa.ChunkedArray) -> pd.Series:
    kind = column.type
    return (column.cast(kind.value_type) if pa.types.is_dictionary(kind) else column).to_pandas()


def _column(cells: pd.Series) -> pa.Array:
    """Cells as a plain column of a type that ``as_numbers`` and ``as_text`` read; of several types, as text."""
    try:
        column = pa.Array.from_pandas(cells)
        column = plain(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)
        if is_usable(column.type):
            return column
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError):
        pass
    return pa.array([None if is_missing(cell) else _as_text(cell) for cell in cells], pa.string())


def _as_text(cell: Any) -> str:
    """With the sign for it where there is half a surrogate pair, which no column can hold."""
    return str(cell).encode("utf-8", "surrogatepass").decode("utf-8", "replace")
