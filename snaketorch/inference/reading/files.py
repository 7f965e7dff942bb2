"""Files that are a sample each: images, videos, texts."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from snaketorch.data.decoding.pictures import SUFFIXES as PICTURES
from snaketorch.data.files.running_text import read_text
from snaketorch.errors import DataError
from snaketorch.inference.reading.part import PART_BYTES, PART_ROWS, SOURCE, Part, Read, Unreadable

VIDEOS = frozenset({".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg"})
TEXTS = frozenset({".txt", ".txt.gz"})
ENDINGS: Mapping[str, frozenset[str]] = {"image": PICTURES, "frames": VIDEOS, "text": TEXTS}
"""By the column that the model reads, the files that can be a sample of it."""
MOST_TEXT = 1 << 26
"""Bytes of a text file that is one sample."""


class SampleFiles:
    """A sample a file; images and videos as the bytes of the file, which the model's own preparation decodes."""

    def __init__(
        self,
        files: Sequence[Path],
        column: str,
        names: Sequence[str] | None = None,
        beside: Mapping[str, Sequence[object]] | None = None,
    ):
        """Of ``files``, for the ``column`` of the model.

        Args:
            files: In their order.
            column: One of ``ENDINGS``.
            names: What each is called in the results; its path when None.
            beside: More that is known of each, by the name of a column.
        """
        self.files, self._column = files, column
        self._names = [str(path) for path in files] if names is None else names
        self._beside = dict(beside or {})
        self.most_rows = len(files)

    def parts(self) -> Iterator[Read]:
        rows: list[int] = []
        size = 0
        for row, path in enumerate(self.files):
            rows.append(row)
            size += path.stat().st_size
            if len(rows) == PART_ROWS or size > PART_BYTES:
                yield partial(self._read, rows)
                rows, size = [], 0
        if rows:
            yield partial(self._read, rows)

    def _read(self, rows: Sequence[int]) -> Part:
        cells, good, unreadable = [], [], []
        for row in rows:
            try:
                cells.append(self._content(self.files[row]))
                good.append(row)
            except (DataError, OSError) as error:
                why = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
                unreadable.append(Unreadable(self._names[row], why))
        beside = {SOURCE: [self._names[row] for row in good]}
        beside |= {name: [values[row] for row in good] for name, values in self._beside.items()}
        return Part(
            pd.DataFrame({self._column: pd.Series(cells, dtype=object)}), pd.DataFrame(beside, dtype=object), unreadable
        )

    def _content(self, path: Path) -> bytes | str:
        if self._column != "text":
            return path.read_bytes()
        text, size = [], 0
        for part in read_text(path):
            text.append(part)
            size += len(part)
            if size > MOST_TEXT:
                raise DataError(f"the text is longer than {MOST_TEXT >> 20} million characters; allowed: a text a file")
        return "".join(text)
