"""Labelled sequences as they came."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from snaketorch.data.raw.labelled import Labelled


@dataclass(frozen=True, eq=False, kw_only=True)
class RawSequences(Labelled):
    """Labelled sequences, of any lengths; values may be missing (NaN)."""

    values: Sequence[np.ndarray]
    """float32 or float64, each (steps, channels)."""
    channels: tuple[str, ...]
    """Names."""
