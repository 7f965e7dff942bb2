"""What rows are called in messages, made only when one is asked for: there may be millions."""

from collections.abc import Sequence

import numpy as np


class PlaceNames(Sequence[str]):
    """``line 17`` or ``test.csv, line 17`` for rows of files."""

    def __init__(self, *files: tuple[str, Sequence[int] | np.ndarray]):
        """For each file what stands before the number, and the number of each of its rows."""
        self._files = files
        self._ends = np.cumsum([len(places) for _, places in files])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, row: int) -> str:
        if not 0 <= row < len(self):
            raise IndexError(row)
        which = int(np.searchsorted(self._ends, row, side="right"))
        before, places = self._files[which]
        return f"{before} {places[row - (self._ends[which - 1] if which else 0)]}"


class ChosenNames(Sequence[str]):
    """The names of some rows."""

    def __init__(self, names: Sequence[str], rows: np.ndarray):
        self._names, self._rows = names, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> str:
        return self._names[int(self._rows[index])]


class NamesWithCopies(Sequence[str]):
    """The names of samples, then of their first copies, and so on: `cat/17.jpg`, `cat/17.jpg, copy 1`."""

    def __init__(self, names: Sequence[str], copies: int):
        self._names, self._copies = names, copies

    def __len__(self) -> int:
        return len(self._names) * (1 + self._copies)

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self):
            raise IndexError(index)
        copy, row = divmod(int(index), len(self._names))
        return f"{self._names[row]}, copy {copy}" if copy else self._names[row]
