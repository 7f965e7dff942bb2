"""Rows of a table as they came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from snaketorch.data.files.values import is_text
from snaketorch.data.quality.report import Skipped
from snaketorch.errors import DataError


@dataclass(frozen=True, eq=False, kw_only=True)
class RawRows:
    """Columns to tell a target from; values may be missing (null, or NaN among numbers).

    DataError when a column is of another type, or the target cannot be what it claims.
    """

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

    def __post_init__(self) -> None:
        for name, column in zip(self.table.column_names, self.table.columns, strict=True):
            kind = column.type
            if not (pa.types.is_floating(kind) or (pa.types.is_dictionary(kind) and is_text(kind.value_type))):
                raise DataError(
                    f"column '{name}' holds {kind}; allowed: numbers as float64 (`.cast(pa.float64())`), categories as "
                    "a dictionary of text (`.dictionary_encode()`)"
                )
        count, target = self.table.num_rows, self.target
        wanted = np.int64 if self.classes else np.float64
        if target.dtype != wanted or target.shape != (count,) or len(self.names) != count or not count:
            raise DataError(
                f"the target '{self.target_name}' is {target.dtype} of shape {target.shape}, for {len(self.names)} "
                f"names and {count} rows; allowed: {np.dtype(wanted)}, and a target and a name for each row"
            )
        outside = np.flatnonzero((target < 0) | (target >= len(self.classes))) if self.classes else ()
        if len(outside):
            raise DataError(
                f"{self.names[outside[0]]}: the target is {target[outside[0]]}, outside the classes; allowed: 0 to "
                f"{len(self.classes) - 1}"
            )
