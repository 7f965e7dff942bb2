"""Rows of a table as they came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from snaketorch.data.quality.report import Skipped


@dataclass(frozen=True, eq=False, kw_only=True)
class RawRows:
    """Columns to tell a target from; values may be missing (null)."""

    table: pa.Table
    """The columns, without the target; numbers (float64), or categories (dictionary of text)."""
    target: np.ndarray
    """(rows,): int64, an index into ``classes``; or float64, a number, when there are none."""
    target_name: str
    classes: tuple[str, ...] = ()
    names: Sequence[str]
    """What each row is called in messages: `row 17`."""
    given: Mapping[str, np.ndarray] = field(default_factory=dict)
    """As in ``Labelled``."""
    skipped: Sequence[Skipped] = ()
    """Bad rows that were left out."""
