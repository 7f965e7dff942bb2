"""Parquet files."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from snaketorch.config.problems import shortened
from snaketorch.data.files.tabular import CHUNK_ROWS, Chunk, check_names
from snaketorch.errors import DataError

_INDEX = re.compile(r"__index_level_\d+__")
"""A column that pandas writes for its index."""


class ParquetFile:
    """A Parquet file; columns have the types that it says."""

    place = "row"

    def __init__(self, path: Path):
        self.path = path
        try:
            with parquet.ParquetFile(path) as file:
                names, rows = file.schema_arrow.names, file.metadata.num_rows
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path}: this is no whole Parquet file ({_say(error)})") from error
        self.columns = tuple(name for name in names if not _INDEX.fullmatch(name))
        check_names(path, self.columns)
        if not self.columns or not rows:
            raise DataError(f"{path}: the file has {len(self.columns)} columns and {rows} rows; allowed: some of both")

    def chunks(self, columns: Sequence[str]) -> Iterator[Chunk]:
        row = 1
        try:
            with parquet.ParquetFile(self.path) as file:
                for batch in file.iter_batches(CHUNK_ROWS, columns=list(columns)):
                    places = np.arange(row, row + len(batch), dtype=np.int64)
                    yield Chunk(places, [batch.column(name) for name in columns], [])
                    row += len(batch)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{self.path}: the file cannot be read on at row {row} ({_say(error)})") from error


def _say(error: Exception) -> str:
    """On one line; Arrow's own messages have several."""
    return shortened(" ".join(str(error).split()), 200)
