"""A file of rows and columns, whatever its format."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa

from snaketorch.errors import DataError

CHUNK_ROWS = 4096
CHUNK_CHARACTERS = 1 << 22


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some rows of a file, one after the other."""

    places: np.ndarray
    """int64, (rows,): the line or row of the file that each is at, from 1."""
    columns: list[pa.Array]
    """As asked for."""
    bad: list[tuple[int, str]]
    """Place of each row that cannot be read, and why; they are not among the others."""


class TabularFile(Protocol):
    """A file that is read from the beginning each time, a chunk of bounded size at a time."""

    path: Path
    columns: tuple[str, ...]
    place: str
    """What a row's place is: `line`, or `row` where the file has no lines."""

    def chunks(self, columns: Sequence[str]) -> Iterator[Chunk]:
        """All rows with these columns; text as it stands in the file where the format has no types."""
        ...


def text_chunk(
    places: Sequence[int], cells: Sequence[Sequence[str | None]], bad: list[tuple[int, str]], width: int
) -> Chunk:
    """A chunk of rows of text; None for what is missing."""
    columns = [pa.array([row[index] for row in cells], pa.string()) for index in range(width)]
    return Chunk(np.array(places, np.int64), columns, bad)


def check_names(path: Path, columns: Sequence[str]) -> None:
    """DataError when two columns have one name."""
    for index, name in enumerate(columns):
        if name and name in columns[:index]:
            raise DataError(
                f"{path}: column {index + 1} and column {columns.index(name) + 1} are both called '{name}'; "
                "allowed: each name once"
            )
