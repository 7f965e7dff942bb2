"""Quality of rows with a class or a number."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from snaketorch.data.quality.balance import examine_balance
from snaketorch.data.quality.digests import row_digests
from snaketorch.data.quality.duplicates import examine_copies
from snaketorch.data.quality.outliers import examine_outliers
from snaketorch.data.quality.report import MOST_EXAMPLES, Finding
from snaketorch.data.store import Store

MANY_DISTINCT = 0.5
"""Share of rows with a value of their own in some column, from which equal rows are hardly chance."""
FEWEST_ROWS = 30
"""Of the training split; with fewer, anything tells the target by chance."""


@dataclass(frozen=True, eq=False)
class _Column:
    """A column of the training split."""

    name: str
    values: np.ndarray
    is_number: bool


def examine_rows(
    store: Store,
    names: Mapping[str, Sequence[str]],
    fields: Mapping[str, Mapping[str, Any]],
    classes: Sequence[str] = (),
) -> list[Finding]:
    """All checks of rows that ``store`` has as fields `number`, `category`, and `label` or `target`.

    Args:
        store: Their arrays.
        names: Of the rows, by split.
        fields: As in the manifest, with the names of columns.
        classes: Names; numbers when absent.
    """
    features = [field for field in ("number", "category") if field in fields]
    answer = "label" if "label" in fields else "target"
    answers = {split: np.asarray(store.read(split, answer)) for split in store.arrays}
    digests = {split: row_digests(*(store.read(split, field) for field in features)) for split in store.arrays}
    columns = [
        _Column(name, np.asarray(store.read("train", field)[:, index]), field == "number")
        for field in features
        for index, name in enumerate(fields[field]["names"])
    ]
    shown = ()
    if answer == "label":
        count = 1 + max(int(values.max(initial=0)) for values in answers.values())
        shown = tuple(classes) or tuple(f"class {index}" for index in range(count))
    train = answers["train"]
    return [
        *examine_copies(
            digests, names, "rows", answers, shown, severity="problem" if _tells_rows_apart(columns) else "hint"
        ),
        *(examine_balance(answers, shown) if shown else ()),
        *_constant(columns),
        *(_outliers(store, names, fields["number"]["names"]) if "number" in fields else ()),
        *_like_ids(columns),
        *_perfect(columns, _tells_class if shown else _tells_number, train),
    ]


def _tells_rows_apart(columns: Sequence[_Column]) -> bool:
    return any(len(np.unique(column.values)) > MANY_DISTINCT * len(column.values) for column in columns)


def _constant(columns: Sequence[_Column]) -> Iterator[Finding]:
    found = [column.name for column in columns if (column.values == column.values[0]).all()]
    if found:
        yield Finding(
            "constant column",
            "hint",
            f"{len(found)} columns have a single value all through the training split.",
            len(found),
            tuple(found[:MOST_EXAMPLES]),
        )


def _outliers(store: Store, names: Mapping[str, Sequence[str]], columns: Sequence[str]) -> Iterator[Finding]:
    numbers = {split: store.read(split, "number") for split in store.arrays}
    return examine_outliers(
        numbers, columns, lambda split, row, value: f"{split}: {names[split][row]}, {value}", kind="column"
    )


def _like_ids(columns: Sequence[_Column]) -> Iterator[Finding]:
    found = [column.name for column in columns if len(column.values) >= FEWEST_ROWS and _is_like_id(column)]
    if found:
        yield Finding(
            "id column",
            "hint",
            f"{len(found)} columns number or name the rows, which tells nothing of new ones; leave them out with "
            "`source.columns`.",
            len(found),
            tuple(found[:MOST_EXAMPLES]),
        )


def _is_like_id(column: _Column) -> bool:
    values = column.values
    if column.is_number:
        # splits keep the order of rows, so a running number rises
        return bool((values == np.rint(values)).all() and (np.diff(values) > 0).all())
    return len(np.unique(values)) > 0.95 * len(values)


def _perfect(
    columns: Sequence[_Column], tells: Callable[[_Column, np.ndarray], bool], answers: np.ndarray
) -> Iterator[Finding]:
    if len(answers) < FEWEST_ROWS or (answers == answers[0]).all():
        return
    found = [column.name for column in columns if tells(column, answers)]
    if found:
        yield Finding(
            "target leakage",
            "hint",
            f"{len(found)} columns tell the target of every training row all alone; was it known before the target?",
            len(found),
            tuple(found[:MOST_EXAMPLES]),
        )


def _tells_class(column: _Column, labels: np.ndarray) -> bool:
    order = np.lexsort((labels, column.values))
    values, labels = column.values[order], labels[order]
    changes = labels[1:] != labels[:-1]
    if (changes & (values[1:] == values[:-1])).any():
        return False
    if column.is_number:  # one interval a class
        return int(changes.sum()) == len(np.unique(labels)) - 1
    # many rows a value: with a value for each row, any column would
    return len(np.unique(values)) * 5 <= len(values)


def _tells_number(column: _Column, numbers: np.ndarray) -> bool:
    if not column.is_number or (column.values == column.values[0]).all():
        return False
    return bool(abs(np.corrcoef(column.values.astype(np.float64), numbers)[0, 1]) > 0.9999)
