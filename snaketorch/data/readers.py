"""Readers that sources share: of samples in memory (or in a memory map), and of files that are decoded on the way."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from snaketorch.data.decoding.gpu import GpuDecoder
from snaketorch.data.decoding.pictures import Encoded, Header, decode_bytes, is_whole_jpeg, look_at_picture, read_file
from snaketorch.data.decoding.pool import DecodingPool
from snaketorch.data.raw.images import Pixels, Reader
from snaketorch.errors import DataError

PART_VALUES = 2**22
"""Values (bytes) of samples that an in-memory reader gives at once."""
SMALL_VALUES = 2**14
"""Values (bytes) of an image that is decoded with its header: to open its file twice would cost a third more."""
GPU_TASK_VALUES = 2**25
"""Decoded values (bytes) of files that a GPU decodes at once; a single file may have more."""

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

    def __len__(self) -> int:
        return len(self.samples)

    def shapes(self, rows: np.ndarray) -> Iterator[Shape]:
        if len(rows) and rows.max() >= len(self.samples):
            raise DataError(f"there are {len(self.samples)} samples and labels for more; allowed: one label a sample")
        return (self.samples.shape[1:] for _ in range(len(rows)))

    def parts(self, rows: np.ndarray) -> Iterator[list[Pixels]]:
        count = max(1, PART_VALUES // int(np.prod(self.samples.shape[1:])))
        for start in range(0, len(rows), count):
            yield list(self.samples[rows[start : start + count]])


class FileReader:
    """Samples that are files, decoded by several threads; what is in memory at once is bounded by their pixels."""

    def __init__(
        self,
        files: Sequence[Encoded],
        decode: Callable[[Path], Pixels] | None = None,
        shape: Callable[[Path], Shape] | None = None,
    ):
        """Of ``files``, one a row.

        Args:
            files: Of the samples: where they are, or, of images, their contents, which may be made as they are asked
                for. To ask for one may raise a DataError.
            decode: Gives the pixels of a file. DataError when it cannot. When None, the files are images.
            shape: Tells their shape quickly, from the file's header. DataError when it cannot. None: as of an image.
        """
        self._files, self._decode, self._shape = files, decode, shape
        self._pool = DecodingPool(self._read)
        self._gpu: GpuDecoder | None = None
        self._known: dict[int, Shape | DataError] = {}
        self._plain: set[int] = set()
        """Rows that the GPU's decoder may take."""
        self._kept: dict[int, Pixels] = {}
        """Pixels of small images, which were decoded with their header, a moment before they are asked for."""
        self.decoded: Counter[str] = Counter()
        """Images that each decoder gave, `cpu` and `cuda`; a row that was asked for twice counts twice."""

    def __len__(self) -> int:
        return len(self._files)

    @property
    def are_pictures(self) -> bool:
        """Whether the files are images, which a GPU may decode."""
        return self._decode is None

    def decode_on(self, gpu: GpuDecoder) -> None:
        """Images that ``gpu`` takes come from it in its size, all others as they are. To be called before any read."""
        self._gpu = gpu
        self._pool = DecodingPool(self._read, GPU_TASK_VALUES)

    def shapes(self, rows: np.ndarray) -> Iterator[Shape | DataError]:
        return self._shapes(rows, decode_up_to=0)

    def _shapes(self, rows: np.ndarray, decode_up_to: int) -> Iterator[Shape | DataError]:
        unknown = [row for row in rows.tolist() if row not in self._known]
        found = self._pool.map_in_order(partial(self._look, decode_up_to=decode_up_to), unknown)
        for row in rows.tolist():
            if row not in self._known:
                self._known[row] = self._remember(row, next(found))
            yield self._known[row]

    def parts(self, rows: np.ndarray) -> Iterator[list[Pixels | DataError]]:
        shapes = self._shapes(rows, SMALL_VALUES if self.are_pictures and self._gpu is None else 0)
        begin = 0
        for part in self._pool.decode((row, next(shapes)) for row in rows.tolist()):
            yield self._finished(rows[begin : begin + len(part)].tolist(), part)
            begin += len(part)

    def _look(self, row: int, decode_up_to: int) -> Header | Pixels | Shape | DataError:
        try:
            if self._shape is not None:
                return self._shape(self._files[row])
            return look_at_picture(self._files[row], decode_up_to)
        except DataError as error:
            return error

    def _remember(self, row: int, found: Header | Pixels | Shape | DataError) -> Shape | DataError:
        if isinstance(found, np.ndarray):
            self._kept[row] = found
            return found.shape
        if not isinstance(found, Header):
            return found
        if found.is_plain_jpeg:
            self._plain.add(row)
        return found.shape

    def _read(self, row: int) -> Pixels | bytes:
        """The pixels of a row, or the content of its file, if that is for the GPU."""
        kept = self._kept.pop(row, None)
        if kept is not None:
            return kept
        if self._decode is not None:
            return self._decode(self._files[row])
        content = read_file(self._files[row])
        is_for_gpu = self._gpu is not None and row in self._plain and is_whole_jpeg(content)
        return content if is_for_gpu else decode_bytes(content)

    def _finished(self, rows: Sequence[int], part: list[Any]) -> list[Pixels | DataError]:
        """A part with pixels in the place of content."""
        waiting = [place for place, sample in enumerate(part) if isinstance(sample, bytes)]
        taken = 0
        if waiting:
            shapes = [self._known[rows[place]] for place in waiting]
            pixels = self._gpu.decode([part[place] for place in waiting], shapes)
            left = [part[place] for place, found in zip(waiting, pixels, strict=True) if found is None]
            by_cpu = self._pool.map_in_order(_decode, left)
            for place, found in zip(waiting, pixels, strict=True):
                part[place] = found if found is not None else next(by_cpu)
            taken = len(waiting) - len(left)
        if self.are_pictures:
            self.decoded["cuda"] += taken
            self.decoded["cpu"] += sum(not isinstance(sample, DataError) for sample in part) - taken
        return part


def _decode(content: bytes) -> Pixels | DataError:
    try:
        return decode_bytes(content)
    except DataError as error:
        return error
