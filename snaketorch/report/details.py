"""Tables from the details of a test, such as metrics of each class or of each step of a forecast."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

Scalar = str | int | float | None
Column = tuple[str, str]
"""What a column belongs to, empty for most, and its own name."""


@dataclass(frozen=True)
class Table:
    """A table to show, its numbers averaged over seeds."""

    name: str
    columns: list[Column]
    rows: list[list[Scalar]]

    @property
    def largest(self) -> list[float | None]:
        """The largest number of each column, by which all of the column are rounded."""
        columns = zip(*self.rows, strict=True)
        return [max((abs(cell) for cell in cells if isinstance(cell, int | float)), default=None) for cells in columns]

    @property
    def groups(self) -> list[tuple[str, int]]:
        """What the columns belong to and how many side by side do; empty when they all stand for themselves."""
        runs = [(group, len(list(columns))) for group, columns in groupby(group for group, _ in self.columns)]
        return runs if any(group for group, _ in runs) else []

    @property
    def starts(self) -> list[bool]:
        """For each column whether a group begins with it."""
        return [bool(own[0]) and own[0] != before[0] for before, own in pairwise([("", ""), *self.columns])]


def detail_tables(details: Sequence[dict[str, Any]]) -> list[Table]:
    """The tables that every seed's details have, cell by cell the mean over seeds.

    A list of records makes a table; a record in a record makes a group of columns. Anything else, such
    as a confusion matrix, is left to the figures, and so is a list of one record, which would repeat
    the metrics.
    """
    of_seeds = [dict(_tables(seed)) for seed in details]
    return [
        Table(name, list(rows[0]), _means([seed[name] for seed in of_seeds]))
        for name, rows in of_seeds[0].items()
        if all(_shape(seed.get(name)) == _shape(rows) for seed in of_seeds)
    ]


def _tables(details: dict[str, Any]) -> Iterator[tuple[str, list[dict[Column, Scalar]]]]:
    for name, value in details.items():
        if isinstance(value, list) and len(value) > 1 and all(isinstance(record, dict) for record in value):
            rows = [dict(_cells(record)) for record in value]
            if all(
                list(row) == list(rows[0]) and all(isinstance(cell, Scalar) for cell in row.values()) for row in rows
            ):
                yield name, rows


def _cells(record: dict[str, Any]) -> Iterator[tuple[Column, Any]]:
    for name, value in record.items():
        if isinstance(value, dict):
            yield from (((name, inner), cell) for inner, cell in value.items())
        else:
            yield ("", name), value


def _shape(rows: list[dict[Column, Scalar]] | None) -> list[list[Column | str]]:
    """What must agree before cells are averaged: columns, and the texts that name rows."""
    return [[*row, *(cell for cell in row.values() if isinstance(cell, str))] for row in rows or []]


def _means(seeds: list[list[dict[Column, Scalar]]]) -> list[list[Scalar]]:
    return [[_mean([row[column] for row in rows]) for column in rows[0]] for rows in zip(*seeds, strict=True)]


def _mean(cells: list[Scalar]) -> Scalar:
    if all(cell == cells[0] for cell in cells):
        return cells[0]
    return None if any(cell is None for cell in cells) else statistics.fmean(cells)
