"""Which format a file of rows has, by its name."""

from pathlib import Path

from snaketorch.data.files.delimited import DelimitedFile
from snaketorch.data.files.json_lines import JsonLinesFile
from snaketorch.data.files.parquet import ParquetFile
from snaketorch.data.files.tabular import TabularFile
from snaketorch.errors import DataError

FORMATS = {
    ".csv": lambda path: DelimitedFile(path, ","),
    ".csv.gz": lambda path: DelimitedFile(path, ","),
    ".tsv": lambda path: DelimitedFile(path, "\t"),
    ".tsv.gz": lambda path: DelimitedFile(path, "\t"),
    ".jsonl": JsonLinesFile,
    ".jsonl.gz": JsonLinesFile,
    ".parquet": ParquetFile,
}


def open_table(path: str) -> TabularFile:
    """The file of rows at ``path``. DataError when its name or its beginning is not that of one."""
    for ending, make in FORMATS.items():
        if path.lower().endswith(ending):
            return make(Path(path))
    raise DataError(f"{path}: this is not the name of a file of rows; allowed endings: {', '.join(FORMATS)}")
