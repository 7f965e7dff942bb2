"""A dataset that is ready to be written: what `images` and `series` make and `prepare` publishes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class PreparedSplit:
    """One of train, val, test."""

    arrays: dict[str, np.ndarray]
    """By field, all with the same number of rows."""
    facts: dict[str, Any]
    """What the manifest says of this split besides its arrays, as JSON."""

    @property
    def count(self) -> int:
        return len(next(iter(self.arrays.values())))


@dataclass(frozen=True, eq=False)
class Prepared:
    """All splits, and what the manifest says of all."""

    fields: dict[str, dict[str, Any]]
    """As in the manifest: dtype and shape of one sample, statistics of the training split."""
    splits: dict[str, PreparedSplit]
    draw: Callable[[Path], None]
    """Draws the preview into a PNG file."""
    classes: tuple[str, ...] = field(default=())
    """Empty for a series."""
