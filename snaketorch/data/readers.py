"""Readers that sources share: of samples in memory (or in a memory map), and of files that are decoded on the way."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from snaketorch.data.decoding.pictures import decode_picture, picture_shape
from snaketorch.data.decoding.pool import DecodingPool
from snaketorch.data.raw.images import Pixels, Reader
from snaketorch.errors import DataError

PART_VALUES = 2**22
"""Values (bytes) of samples that an in-memory reader gives at once."""

Shape = tuple[int, ...]


@runtime_checkable
class KnowsShapes(Protocol):
    """A reader that can tell the shapes of its samples without decoding them."""

    def shapes(self, rows: np.ndarray) -> Iterator[Shape | DataError]:
        """The shape of each of ``rows``, as of its pixels; a `DataError` where it cannot be read."""
        ...


def shapes_of(reader: Reader, rows: np.ndarray) -> Iterator[Shape | Exception]:
    """The shape of each of ``rows``; a reader that does not know them reads all the pixels for it."""
    if isinstance(reader, KnowsShapes):
        yield from reader.shapes(rows)
        return
    for part in reader.parts(rows):
        yield from (sample if isinstance(sample, Exception) else sample.shape for sample in part)


class MemoryReader:
    """Samples that are all alike in one array, which may be memory-mapped or a transposed view.

    DataError when the array is not uint8 or its samples do not have one or three channels.
    """

    def __init__(self, samples: np.ndarray):
        if samples.dtype != np.uint8 or samples.ndim not in (4, 5):
            raise DataError(
                f"the samples are {samples.dtype} of shape {samples.shape}; "
                "allowed: uint8 of shape (samples, channels, height, width), or with frames before the channels"
            )
        if samples.shape[-3] not in (1, 3) or 0 in samples.shape[1:]:
            raise DataError(f"the samples are of shape {samples.shape[1:]}; allowed: some pixels with 1 or 3 channels")
        self.samples = samples

    def shapes(self, rows: np.ndarray) -> Iterator[Shape]:
        return (self.samples.shape[1:] for _ in range(len(rows)))

    def parts(self, rows: np.ndarray) -> Iterator[list[Pixels]]:
        count = max(1, PART_VALUES // int(np.prod(self.samples.shape[1:])))
        for start in range(0, len(rows), count):
            yield list(self.samples[rows[start : start + count]])


class FileReader:
    """Samples that are files, decoded by several threads; what is in memory at once is bounded by their pixels."""

    def __init__(
        self,
        paths: Sequence[Path],
        decode: Callable[[Path], Pixels] = decode_picture,
        shape: Callable[[Path], Shape] = picture_shape,
    ):
        """Of the files ``paths``, one a row.

        Args:
            paths: Of the samples.
            decode: Gives the pixels of a file. DataError when it cannot.
            shape: Tells their shape quickly, from the file's header. DataError when it cannot.
        """
        self._paths, self._shape = paths, shape
        self._pool = DecodingPool(decode)
        self._known: dict[int, Shape | DataError] = {}

    def shapes(self, rows: np.ndarray) -> Iterator[Shape | DataError]:
        unknown = [row for row in rows.tolist() if row not in self._known]
        found = self._pool.map_in_order(self._look, unknown)
        for row in rows.tolist():
            if row not in self._known:
                self._known[row] = next(found)
            yield self._known[row]

    def parts(self, rows: np.ndarray) -> Iterator[list[Pixels | DataError]]:
        shapes = self.shapes(rows)
        return self._pool.decode((self._paths[row], next(shapes)) for row in rows.tolist())

    def _look(self, row: int) -> Shape | DataError:
        try:
            return self._shape(self._paths[row])
        except DataError as error:
            return error
