"""Labelled sequences as they came."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from snaketorch.data.raw.labelled import Labelled
from snaketorch.errors import DataError


@dataclass(frozen=True, eq=False, kw_only=True)
class RawSequences(Labelled):
    """Labelled sequences, of any lengths; values may be missing (NaN).

    DataError as in ``Labelled``, when there is one class only, and when there are more or fewer than labels.
    """

    can_have_several: ClassVar[bool] = True

    values: Sequence[np.ndarray]
    """float32 or float64, each (steps, channels)."""
    channels: tuple[str, ...]
    """Names."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.values) != len(self.labels):
            raise DataError(
                f"there are {len(self.values)} sequences and {len(self.labels)} labels; allowed: one label a sequence"
            )
        if len(self.classes) == 1:
            raise DataError(f"all sequences are of class '{self.classes[0]}'; at least two classes are needed")
