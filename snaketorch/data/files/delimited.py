"""CSV and TSV files."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from snaketorch.config.problems import shortened
from snaketorch.data.files.lines import read_lines
from snaketorch.data.files.tabular import CHUNK_CHARACTERS, CHUNK_ROWS, Chunk, check_names, text_chunk
from snaketorch.errors import DataError

MOST_CHARACTERS = 1 << 24
"""Of one cell: a quote that is never closed must not fill the memory."""

_TROUBLES = {
    "unexpected end of data": "a quote is opened and never closed",
    "field larger than": f"a cell is longer than {MOST_CHARACTERS >> 20} million characters; is a quote never closed?",
    "new-line character": "a bare carriage return stands in it; allowed: line ends as of Unix or Windows",
    "expected after": "text follows a closing quote; allowed: a quote inside quotes written twice",
}
"""What Python's reader says, and what is meant."""


class DelimitedFile:
    """A CSV or TSV file with a header, as UTF-8; cells are text, trimmed only in the header.

    Python's reader and not Arrow's: it knows on which line of the file each row begins.
    """

    place = "line"

    def __init__(self, path: Path, delimiter: str):
        self.path, self._delimiter = path, delimiter
        line, header = next(self._records(), (0, []))
        if isinstance(header, str):
            raise DataError(f"{path}: the header (line {line}): {header}")
        self.columns = tuple(name.strip() for name in header)
        if not any(self.columns):
            raise DataError(f"{path}: there is no header; allowed: the names of the columns in the first line")
        if len(self.columns) == 1 and (other := [sign for sign in ";\t|," if sign in self.columns[0]]):
            raise DataError(
                f"{path}: the header is a single name, '{shortened(self.columns[0])}'; is the delimiter {other[0]!r}? "
                "allowed: commas in .csv, tabs in .tsv"
            )
        check_names(path, self.columns)

    def chunks(self, columns: Sequence[str]) -> Iterator[Chunk]:
        where = [self.columns.index(name) for name in columns]
        places: list[int] = []
        cells: list[list[str]] = []
        bad: list[tuple[int, str]] = []
        size = 0
        for line, row in self._rows():
            if isinstance(row, str):
                bad.append((line, row))
            else:
                places.append(line)
                cells.append([row[index] for index in where])
                size += sum(map(len, cells[-1]))
            if len(places) + len(bad) == CHUNK_ROWS or size > CHUNK_CHARACTERS:
                yield text_chunk(places, cells, bad, len(where))
                places, cells, bad, size = [], [], [], 0
        yield text_chunk(places, cells, bad, len(where))

    def _rows(self) -> Iterator[tuple[int, list[str] | str]]:
        width = len(self.columns)
        records = self._records()
        next(records)
        for line, row in records:
            if isinstance(row, str) or len(row) == width:
                yield line, row
            elif len(row) > 1 or row[0].strip():
                yield line, f"has {len(row)} cell{'s' if len(row) > 1 else ''}, the header has {width}"

    def _records(self) -> Iterator[tuple[int, list[str] | str]]:
        """The line on which each record begins, the header's included, and its cells or what is wrong with it."""
        csv.field_size_limit(MOST_CHARACTERS)
        troubles: list[str] = []

        def texts() -> Iterator[str]:
            for line in read_lines(self.path):
                if line.trouble:
                    troubles.append(line.trouble)
                yield line.text

        reader = csv.reader(texts(), delimiter=self._delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            troubles.clear()
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, next((said for start, said in _TROUBLES.items() if start in str(error)), str(error))
                # rows for all we know, and lost with it
                for lost in range(line + 1, reader.line_num + 1):
                    yield lost, f"is within the quote of line {line}"
                continue
            if troubles:
                yield line, troubles[0]
            elif record:
                yield line, record
