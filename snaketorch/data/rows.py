"""Rows of a table made ready: split, filled, numbered, measured."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.answers import number_field
from snaketorch.data.prepared import Prepared
from snaketorch.data.preview.rows import draw_rows
from snaketorch.data.quality.report import DataReport
from snaketorch.data.quality.rows import examine_rows
from snaketorch.data.raw.rows import RawRows
from snaketorch.data.row_names import ChosenNames
from snaketorch.data.split import split_samples
from snaketorch.data.statistics import channel_statistics
from snaketorch.data.store import Store
from snaketorch.errors import DataError

log = logging.getLogger(__name__)

ROWS_TO_DRAW = 20000
LARGEST = np.finfo(np.float32).max
MANY_VALUES = 1000
"""Of a category, in the training split: more are refused where most rows have one of their own. All values stand in the
manifest and in every model."""


def prepare_rows(raw: RawRows, spec: PrepareSpec, store: Store) -> Prepared:
    """Fields `number` (float32, one for each such column), `category` (int32, likewise), and `label` or `target`.

    A category is the index of its value among those of the training split, from 1; 0 stands for values
    that are missing or not in the training split.

    DataError when values are missing and must not be, nothing varies, or a split cannot be made.
    """
    if len(raw.classes) == 1:
        raise DataError(f"all rows are of class '{raw.classes[0]}'; at least two classes are needed")
    _refuse_missing(raw, spec)
    rows = split_samples(raw.target, raw.classes, raw.given, spec.split)
    names = {split: ChosenNames(raw.names, members) for split, members in rows.items()}
    numbers = [name for name, column in _columns(raw).items() if pa.types.is_floating(column.type)]
    categories = [name for name in raw.table.column_names if name not in numbers]
    facts: dict[str, Any] = {}
    fields = {
        **(_write_numbers(raw, numbers, rows, store, facts, spec.prepare.missing) if numbers else {}),
        **(_write_categories(raw, categories, rows, store, facts) if categories else {}),
    }
    _check_that_something_varies(raw, fields, store)
    fields |= _write_labels(raw, rows, store) if raw.classes else _write_target(raw, rows, store)
    splits = {split: _describe(raw, members) for split, members in rows.items()}
    findings = examine_rows(store, names, fields, raw.classes)
    return Prepared(
        fields=fields,
        splits=splits,
        classes=raw.classes,
        draw=partial(
            draw_rows,
            title=spec.dataset,
            columns=_to_draw(raw, rows["train"]),
            counts={split: len(members) for split, members in rows.items()},
            target=raw.target_name,
        ),
        report=DataReport(findings=findings, facts=facts, skipped=raw.skipped),
    )


def _columns(raw: RawRows) -> dict[str, pa.ChunkedArray]:
    return dict(zip(raw.table.column_names, raw.table.columns, strict=True))


def _refuse_missing(raw: RawRows, spec: PrepareSpec) -> None:
    found = []
    for name, column in _columns(raw).items():
        missing = column.is_null(nan_is_null=True).to_numpy()
        if missing.any():
            first = int(np.argmax(missing))
            found.append(f"'{name}': {np.count_nonzero(missing)} of {len(column)}, the first at {raw.names[first]}")
    if found and spec.prepare.missing == "error":
        raise DataError(
            f"values are missing: {'; '.join(found)}. Set `prepare: {{missing: median}}` to fill numbers with the "
            "median of the training split and take categories as unknown, or leave the column out"
        )


def _write_numbers(
    raw: RawRows,
    names: list[str],
    rows: Mapping[str, np.ndarray],
    store: Store,
    facts: dict[str, Any],
    how_to_fill: str,
) -> dict[str, Any]:
    arrays = {split: np.empty((len(members), len(names)), np.float32) for split, members in rows.items()}
    filled, medians = {}, []
    for index, name in enumerate(names):
        values = raw.table[name].to_numpy()
        missing = np.isnan(values)
        if how_to_fill == "median":
            known = values[rows["train"]][~missing[rows["train"]]]
            if not known.size:
                raise DataError(f"'{name}' has no value in the training split to fill others with; leave it out")
            medians.append(float(np.median(known)))
        if missing.any():
            values = np.where(missing, medians[-1], values)
            filled[name] = {"values": int(missing.sum()), "filled with": medians[-1]}
        _check_size(name, values, raw)
        for split, members in rows.items():
            arrays[split][:, index] = values[members]
    for split, array in arrays.items():
        store.write(split, "number", array)
    if filled:
        log.info("filled missing values with the median of the training split: %s", ", ".join(filled))
        facts["missing numbers"] = filled
    return {
        "number": {
            "dtype": "float32",
            "shape": [len(names)],
            "names": names,
            **({"medians": medians} if medians else {}),
            "statistics": channel_statistics(store.read("train", "number")),
        }
    }


def _check_size(name: str, values: np.ndarray, raw: RawRows) -> None:
    for row, why in too_large(values).items():
        raise DataError(f"{raw.names[row]}: '{name}' {why}")


def too_large(values: np.ndarray) -> dict[int, str]:
    """By row, the largest first, what is wrong with numbers that float32 cannot hold."""
    rows = np.flatnonzero(~(np.abs(values) <= LARGEST))
    rows = rows[np.argsort(-np.abs(values[rows]), kind="stable")]
    return {int(row): f"is {values[row]:g}; allowed: up to {LARGEST:g} (float32)" for row in rows}


def category_codes(texts: Iterable[str], known: Sequence[str]) -> np.ndarray:
    """int32: the place of each text among the ``known`` values, from 1; 0 for one that is not among them."""
    places = {text: place for place, text in enumerate(known, 1)}
    return np.array([places.get(text, 0) for text in texts], np.int32)


def _write_categories(
    raw: RawRows, names: list[str], rows: Mapping[str, np.ndarray], store: Store, facts: dict[str, Any]
) -> dict[str, Any]:
    arrays = {split: np.empty((len(members), len(names)), np.int32) for split, members in rows.items()}
    values, missing, unseen = [], {}, {}
    for index, name in enumerate(names):
        column = raw.table[name].combine_chunks()
        # one more, for missing values, stands at the end
        texts = column.dictionary.to_pylist()
        indices = column.indices.fill_null(len(texts)).to_numpy()
        in_training = np.bincount(indices[rows["train"]], minlength=len(texts))
        known = sorted(text for number, text in enumerate(texts) if in_training[number])
        if len(known) > MANY_VALUES and 2 * len(known) > in_training.sum():
            raise DataError(
                f"'{name}' has {len(known):,} different values in {in_training.sum():,} training rows: free text or "
                "names, and no category. List the columns to take in source.columns, without it; to learn from "
                "texts, use `source: {kind: text}`"
            )
        codes = np.append(category_codes(texts, known), np.int32(0))
        values.append(known)
        for split, members in rows.items():
            arrays[split][:, index] = codes[indices[members]]
            new = int((arrays[split][:, index] == 0).sum() - (indices[members] == len(texts)).sum())
            if new:
                unseen.setdefault(name, {})[split] = new
        if column.null_count:
            missing[name] = column.null_count
    for split, array in arrays.items():
        store.write(split, "category", array)
    if missing:
        facts["missing categories"] = missing
    if unseen:
        log.info("values that are not in the training split are taken as unknown: %s", ", ".join(unseen))
        facts["values that are not in the training split"] = unseen
    return {"category": {"dtype": "int32", "shape": [len(names)], "names": names, "values": values}}


def _check_that_something_varies(raw: RawRows, fields: Mapping[str, Any], store: Store) -> None:
    parts = [store.read("train", field) for field in fields]
    if all((part == part[0]).all() for part in parts):
        raise DataError(
            f"no column changes in the training split: {', '.join(raw.table.column_names)}; there is nothing to tell "
            f"'{raw.target_name}' from"
        )


def _write_labels(raw: RawRows, rows: Mapping[str, np.ndarray], store: Store) -> dict[str, Any]:
    for split, members in rows.items():
        store.write(split, "label", raw.target[members])
    return {"label": {"dtype": "int64", "shape": [], "name": raw.target_name}}


def _write_target(raw: RawRows, rows: Mapping[str, np.ndarray], store: Store) -> dict[str, Any]:
    _check_size(raw.target_name, raw.target, raw)
    for split, members in rows.items():
        store.write(split, "target", raw.target[members].astype(np.float32))
    return number_field(store, raw.target_name)


def _describe(raw: RawRows, members: np.ndarray) -> dict[str, Any]:
    if not raw.classes:
        return {"count": len(members)}
    counts = np.bincount(raw.target[members], minlength=len(raw.classes)).tolist()
    return {"count": len(members), "class_counts": counts}


def _to_draw(raw: RawRows, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Training values of each column and of the target, of at most ``ROWS_TO_DRAW`` rows, evenly spread."""
    rows = rows[:: -(-len(rows) // ROWS_TO_DRAW)]
    target = np.array(raw.classes)[raw.target[rows]] if raw.classes else raw.target[rows]
    columns = {}
    for name, column in _columns(raw).items():
        values = column.take(pa.array(rows))
        if not pa.types.is_floating(column.type):
            values = values.cast(pa.string()).fill_null("missing")
        columns[name] = values.to_numpy()
    return {raw.target_name: target, **columns}
