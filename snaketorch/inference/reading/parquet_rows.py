"""Parquet files of which a row may be large, as images are."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from snaketorch.data.files.parquet import ParquetFile
from snaketorch.data.files.tabular import CHUNK_ROWS, Chunk
from snaketorch.errors import DataError
from snaketorch.inference.reading.part import PART_BYTES


class ParquetRows(ParquetFile):
    """As its parent, with fewer rows at once where they are large."""

    def __init__(self, path: Path):
        super().__init__(path)
        with parquet.ParquetFile(path) as file:
            self.rows = file.metadata.num_rows

    def chunks(self, columns: Sequence[str]) -> Iterator[Chunk]:
        row = 1
        try:
            with parquet.ParquetFile(self.path) as file:
                at_once = self._rows_at_once(file.metadata, columns)
                for batch in file.iter_batches(at_once, columns=list(columns)):
                    places = np.arange(row, row + len(batch), dtype=np.int64)
                    yield Chunk(places, [batch.column(name) for name in columns], [])
                    row += len(batch)
        except (pa.ArrowException, OSError) as error:
            said = " ".join(str(error).split())[:200]
            raise DataError(f"{self.path}: the file cannot be read on at row {row} ({said})") from error

    def _rows_at_once(self, metadata: parquet.FileMetaData, columns: Sequence[str]) -> int:
        size = 0
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            parts = (group.column(index) for index in range(group.num_columns))
            size += sum(part.total_uncompressed_size for part in parts if part.path_in_schema.split(".")[0] in columns)
        return int(np.clip(PART_BYTES * self.rows // max(1, size), 1, CHUNK_ROWS))
