"""Where a preparer puts what it makes: one contiguous array a field and split, written as it comes."""

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from snaketorch.data.manifest import OtherFile, StoredArray
from snaketorch.provenance import file_sha256


class Rows:
    """An array under way, to which rows are added; the number of rows need not be known before."""

    def __init__(self, path: Path, dtype: Any, shape: tuple[int, ...]):
        self.path, self.dtype, self.shape = path, np.dtype(dtype), tuple(shape)
        self.count = 0
        self._stream = path.open("wb")
        self._write_header()

    def append(self, rows: np.ndarray) -> None:
        """Adds ``rows`` (rows, *shape)."""
        if rows.dtype != self.dtype or rows.shape[1:] != self.shape:
            raise ValueError(f"{self.path.name} takes {self.dtype} rows of {self.shape}, not {rows.dtype} {rows.shape}")
        self._stream.write(np.ascontiguousarray(rows).data)
        self.count += len(rows)

    def written(self) -> np.ndarray:
        """What was added so far, memory-mapped."""
        self._stream.flush()
        start = self._stream.tell() - self.count * self.dtype.itemsize * math.prod(self.shape)
        return np.memmap(self.path, self.dtype, "r", start, (self.count, *self.shape))

    def close(self) -> None:
        """Writes the number of rows, and all of it on to the disk."""
        self._stream.seek(0)
        self._write_header()
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()

    def _write_header(self) -> None:
        # numpy leaves room in a header for the first axis to grow, so it keeps its length
        described = np.lib.format.dtype_to_descr(self.dtype)
        header = {"descr": described, "fortran_order": False, "shape": (self.count, *self.shape)}
        np.lib.format.write_array_header_1_0(self._stream, header)


class Store:
    """The files of a dataset that is being prepared."""

    def __init__(self, folder: Path, shown_as: str):
        """``shown_as`` is what the manifest calls ``folder``."""
        self.folder, self.shown_as = folder, shown_as
        self._arrays: dict[str, dict[str, StoredArray]] = {}
        self._others: dict[str, OtherFile] = {}

    def write(self, split: str, field: str, array: np.ndarray) -> None:
        """A whole field of a split."""
        with self.rows(split, field, array.dtype, array.shape[1:]) as rows:
            rows.append(array)

    @contextmanager
    def rows(self, split: str, field: str, dtype: Any, shape: tuple[int, ...]) -> Iterator[Rows]:
        """A field of a split to which rows of ``shape`` are added."""
        name = f"{split}_{field}.npy"
        rows = Rows(self.folder / name, dtype, shape)
        try:
            yield rows
        finally:
            rows.close()
        self._arrays.setdefault(split, {})[field] = StoredArray(
            f"{self.shown_as}/{name}",
            (rows.count, *rows.shape),
            str(rows.dtype),
            rows.path.stat().st_size,
            file_sha256(rows.path),
        )

    def write_json(self, name: str, content: Any) -> None:
        """A file beside the arrays, such as a tokenizer, that the manifest lists as ``name``."""
        path = self.folder / f"{name}.json"
        with path.open("w", encoding="utf-8") as stream:
            json.dump(content, stream, ensure_ascii=False, sort_keys=True)
            stream.flush()
            os.fsync(stream.fileno())
        self._others[name] = OtherFile(f"{self.shown_as}/{path.name}", file_sha256(path))

    def read(self, split: str, field: str) -> np.ndarray:
        """A field that is written, memory-mapped."""
        return np.load(self.folder / f"{split}_{field}.npy", mmap_mode="r", allow_pickle=False)

    @property
    def arrays(self) -> dict[str, dict[str, StoredArray]]:
        """By split and field, what is written."""
        return self._arrays

    @property
    def others(self) -> dict[str, OtherFile]:
        """Files beside the arrays, by name."""
        return self._others
