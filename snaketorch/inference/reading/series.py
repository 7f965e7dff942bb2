"""A time series from a file: what is forecast after its last step, or after each."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from snaketorch.config.problems import did_you_mean, listed
from snaketorch.data.files.open import open_table
from snaketorch.data.files.tabular import TabularFile
from snaketorch.data.files.values import as_numbers, as_text, is_number, is_text, plain
from snaketorch.data.missing import forward_fill
from snaketorch.data.sources.dates import read_times
from snaketorch.data.sources.memory import check_memory
from snaketorch.errors import DataError
from snaketorch.inference.reading.part import PART_ROWS, SOURCE, Part, Read

TIME = "time"
MEMORY_RATIO = 3
"""Memory that numbers take at the peak over what they take as text."""


class Series:
    """Windows of a series, each called by the place and the time of its last step."""

    def __init__(
        self, path: Path, channels: Sequence[str], window: int, time: str | None, *, fills: bool, every_step: bool
    ):
        """Of the file of rows at ``path``.

        Args:
            path: Its rows are in the order of time.
            channels: Columns of numbers.
            window: Steps that the model looks back on.
            time: The column of times, which is carried along; None where there is none.
            fills: Whether a missing value is the one before it, as in the training data.
            every_step: Whether there is a window up to every step, and not only up to the last.

        Raises:
            DataError: The file has no such columns, what is in them is no number, or time goes backwards.
        """
        self.files, self._window, self._channels, self._every_step = [path], window, channels, every_step
        self._file = open_table(str(path))
        self._time = time if time in self._file.columns else None
        for name in channels:
            if name not in self._file.columns:
                there = self._file.columns
                hint = did_you_mean(name, there)
                raise DataError(f"{path}: there is no column '{name}'{hint}; the file has {listed(there, 20)}")
        check_memory(f"{path}: all its rows", MEMORY_RATIO * path.stat().st_size, "Cut the file")
        self._places, self._values, self._times = self._load()
        if fills:
            self._values = _filled(self._values)
        steps = len(self._values)
        if steps < window:
            raise DataError(f"{path}: the series has {steps} steps; the model looks back on {window}")
        self.most_rows = steps - window + 1 if every_step else 1

    def parts(self) -> Iterator[Read]:
        steps = len(self._values)
        ends = range(self._window if self._every_step else steps, steps + 1)
        for first in range(0, len(ends), PART_ROWS):
            yield partial(self._read, ends[first : first + PART_ROWS])

    def _read(self, ends: Sequence[int]) -> Part:
        windows = [self._values[end - self._window : end] for end in ends]
        beside = {SOURCE: [_place(self._file, self._places[end - 1]) for end in ends]}
        if self._times is not None:
            beside[TIME] = [self._times[end - 1] for end in ends]
        return Part(pd.DataFrame({"value": pd.Series(windows, dtype=object)}), pd.DataFrame(beside, dtype=object))

    def _load(self) -> tuple[np.ndarray, np.ndarray, list[str | None] | None]:
        """The place of each row, the values (rows, channels), NaN where one is missing, and the times as texts."""
        places, values, times = [], [], []
        for chunk in self._file.chunks([*self._channels, *([self._time] if self._time else [])]):
            if chunk.bad:
                number, why = chunk.bad[0]
                raise DataError(f"{_place(self._file, number)}: the row {why}; allowed: rows as the header has them")
            columns = [plain(column) for column in chunk.columns]
            places.append(chunk.places)
            values.append(self._numbers(columns[: len(self._channels)], chunk.places))
            times += columns[len(self._channels) :]
        rows = np.concatenate(places)
        if not times:
            return rows, np.concatenate(values), None
        joined = pa.chunked_array(times, times[0].type)
        if len(rows):
            read_times(joined, self._time, lambda row: _place(self._file, int(rows[row])))
        return rows, np.concatenate(values), [text for part in times for text in as_text(part).to_pylist()]

    def _numbers(self, columns: Sequence[pa.Array], places: np.ndarray) -> np.ndarray:
        values = np.empty((len(places), len(columns)))
        for index, (name, column) in enumerate(zip(self._channels, columns, strict=True)):
            if not (is_text(column.type) or is_number(column.type) or pa.types.is_null(column.type)):
                raise DataError(f"{self._file.path}: column '{name}' holds {column.type}; allowed: numbers")
            values[:, index], wrong = as_numbers(column)
            if wrong:
                row, why = min(wrong.items())
                place = _place(self._file, places[row])
                raise DataError(f"{place}: '{name}' is {why}; allowed: finite numbers, or missing")
        return values


def _filled(values: np.ndarray) -> np.ndarray:
    """The last known value where one is missing; what is missing at the start stays so."""
    known = np.flatnonzero(~np.isnan(values).any(1))
    if not len(known):
        return values
    return np.concatenate([values[: known[0]], forward_fill(values[known[0] :])])


def _place(file: TabularFile, number: int) -> str:
    """`FILE:LINE`, or `FILE: row ROW`."""
    return f"{file.path}:{number}" if file.place == "line" else f"{file.path}: {file.place} {number}"
