"""What the ways to read raw samples have in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from snaketorch.config.datasets import Prepare
from snaketorch.data.loading.samples import Samples, samples_from
from snaketorch.data.manifest import Manifest
from snaketorch.errors import DataError
from snaketorch.inference.columns import Column
from snaketorch.tasks.base import TaskModule

SOURCE, TRUTH = "source", "truth"
"""Columns that may stand beside those that a model reads: what a row is called, and what is true of it."""
ROWS = 1024
"""Of a raw dataset that are read at once, where a row is small."""

Fields = dict[str, np.ndarray | list[np.ndarray]]
"""Prepared samples as in the arrays of a dataset, a field each; a list where samples have lengths of their own."""


class Input(ABC):
    """How raw samples become what the model was trained on.

    Attributes:
        columns: What is read.
    """

    beside: ClassVar[tuple[str, ...]] = ()
    """More columns that may be there and are not read."""

    columns: list[Column]

    def __init__(self, task: TaskModule, options: Prepare, most_pixels: int):
        """Of ``task``; ``options`` are those of its training data, ``most_pixels`` the most that an image may have."""
        self.task, self.facts, self.options = task, task.facts, options
        self.most_pixels = most_pixels

    @abstractmethod
    def read(self, rows: pd.DataFrame) -> tuple[Fields, dict[int, str]]:
        """The fields of good rows, and by place what is wrong with the others."""

    @abstractmethod
    def example(self, manifest: Manifest, number: int) -> dict[str, Any]:
        """Training sample ``number`` turned back into a raw row, as JSON."""

    @abstractmethod
    def rows_of(self, raw: Any) -> Iterator[pd.DataFrame]:
        """All that a dataset's source gives, some rows at a time, with the columns `source` and perhaps `truth`."""

    def samples(self, fields: Fields) -> Samples:
        """What the task's ``predict`` takes, of at least one good row."""
        arrays = {}
        for name, values in fields.items():
            if isinstance(values, list):
                arrays[name] = np.concatenate(values)
                arrays[f"{name}_start"] = np.cumsum([0, *map(len, values)])
            else:
                arrays[name] = values
        return samples_from(arrays | self._answers(count_of(fields)))

    def _answers(self, count: int) -> dict[str, np.ndarray]:
        """Zeros where training samples have their class or number, which ``predict`` passes on."""
        known = self.facts["fields"]
        name = "label" if "label" in known else "target"
        return {name: np.zeros((count, *known[name]["shape"]), known[name]["dtype"])}


class CellInput(Input):
    """One column, each cell of which is a sample."""

    def read(self, rows: pd.DataFrame) -> tuple[Fields, dict[int, str]]:
        (column,) = self.columns
        good, bad = [], {}
        for place, cell in enumerate(rows[column.name]):
            try:
                good.append(self.sample(cell))
            except DataError as error:
                bad[place] = f"'{column.name}': {error}"
        return self.joined(good), bad

    @abstractmethod
    def sample(self, cell: Any) -> Any:
        """What a cell holds. DataError when it is not what it should be."""

    @abstractmethod
    def joined(self, samples: list[Any]) -> Fields:
        """The fields of some samples, or of none."""


def count_of(fields: Mapping[str, Any]) -> int:
    """Samples in prepared ``fields``."""
    return len(next(iter(fields.values())))


def truth_of(raw: Any, rows: Sequence[int] | np.ndarray) -> list[Any]:
    """What is true of ``rows`` of labelled samples: the class's name, the names of labels that apply, or a number."""
    labels = raw.labels[rows]
    if not raw.classes:
        return labels.tolist()
    if labels.ndim == 2:
        return [[raw.classes[number] for number in np.flatnonzero(row)] for row in labels]
    return [raw.classes[number] for number in labels]


def is_missing(cell: Any) -> bool:
    """Whether a cell holds nothing: None, NaN, or what pandas has for it."""
    return cell is None or (np.isscalar(cell) and pd.isna(cell)) or cell is pd.NA or cell is pd.NaT


def as_numbers(cell: Any) -> np.ndarray:
    """A cell of nested lists as an array, float64 where it is no array of numbers already; NaN where one is missing.

    DataError when it is none.
    """
    if isinstance(cell, Exception):
        raise DataError(str(cell))
    if is_missing(cell):
        raise DataError("it is missing")
    if isinstance(cell, np.ndarray) and cell.dtype.kind in "uif":
        return cell
    if isinstance(cell, str | bytes):
        raise DataError("it is text; allowed: nested lists of numbers")
    try:
        return np.array(_plain(cell), np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"it is no array of numbers ({error}); allowed: nested lists of numbers, all of one length at each depth"
        ) from None


def _plain(cell: Any) -> Any:
    """Lists in the place of arrays of arrays, which files of columns give for nested lists."""
    if isinstance(cell, np.ndarray) and cell.dtype == object:
        return [_plain(part) for part in cell]
    return cell
