"""What every way to read rows for a model gives: parts of bounded size."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

import pandas as pd

SOURCE, TRUTH = "source", "truth"
PART_ROWS = 1024
PART_BYTES = 1 << 26
"""Of the contents of files, or of pixels, that are in memory at once."""


class Unreadable(NamedTuple):
    """A row that is not even a row."""

    source: str
    why: str


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows, one after the other."""

    samples: pd.DataFrame
    """The columns that the model reads."""
    beside: pd.DataFrame
    """For each sample `source`, where it comes from, and the columns that are carried along."""
    unreadable: list[Unreadable] = field(default_factory=list)


Read = Callable[[], Part]


class Reading(Protocol):
    """Rows in a fixed order, cut into the same parts each time."""

    files: Sequence[Path]
    """What is read."""
    most_rows: int
    """How many rows there are, or a few fewer."""

    def parts(self) -> Iterator[Read]:
        """Each part, to be read when it is called for, before the next: what is done already need not be."""
        ...


class Chain:
    """Several readings one after the other."""

    def __init__(self, readings: Sequence[Reading]):
        self._readings = readings
        self.files = [path for reading in readings for path in reading.files]
        self.most_rows = sum(reading.most_rows for reading in readings)

    def parts(self) -> Iterator[Read]:
        for reading in self._readings:
            yield from reading.parts()
