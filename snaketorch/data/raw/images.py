"""Labelled images and clips as they came."""

from collections.abc import Iterator, Sized
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from snaketorch.data.raw.labelled import Labelled
from snaketorch.errors import DataError

Pixels = np.ndarray
"""uint8, (channels, height, width), or (frames, channels, height, width) of a clip; one or three channels."""


class Reader(Protocol):
    """Gives pixels of samples by their row, a part at a time, in the order that is asked for."""

    def parts(self, rows: np.ndarray) -> Iterator[list[Pixels | Exception]]:
        """The samples of ``rows`` in parts of bounded size; a `DataError` in the place of one that is bad.

        The error's message says what is wrong with the sample, without its name.
        """
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class RawImages(Labelled):
    """Labelled images, of any sizes. DataError as in ``Labelled``, and when the reader has more of them than labels."""

    can_have_several: ClassVar[bool] = True

    reader: Reader

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_count(self.reader, self.labels)


@dataclass(frozen=True, eq=False, kw_only=True)
class RawClips(Labelled):
    """Labelled clips: frames of a video; sizes may differ, the number of frames may not. DataError as of images."""

    reader: Reader

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_count(self.reader, self.labels)


def _check_count(reader: Reader, labels: np.ndarray) -> None:
    if isinstance(reader, Sized) and len(reader) > len(labels):
        raise DataError(f"there are {len(reader)} samples and {len(labels)} labels; allowed: one label a sample")
