"""What a model reads and says, a column each, and what is wrong with rows that it cannot read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from snaketorch.errors import UserError

MOST_TO_TELL = 20

Type = Literal["string", "double", "long", "image"]
"""Of a single value. An ``image`` is the bytes of an encoded file, the same in base64 (also as a `data:` address), or
nested lists or an array of whole numbers from 0 to 255: (height, width), (height, width, channels) or (channels,
height, width)."""


@dataclass(frozen=True)
class Column:
    """A column of a table that goes into a model or comes out of it."""

    name: str
    type: Type
    shape: tuple[int | None, ...] | None = None
    """Of the nested lists of such values in a cell, None where a length may vary; no shape for a single value."""
    required: bool = True
    """Whether no cell may be empty; the column must be there all the same."""
    description: str = ""


@dataclass(frozen=True)
class Parameter:
    """What can be set for a whole call of a model."""

    name: str
    type: Literal["double", "long"]
    default: float | int
    quick: float | int | None = None
    """A value with which an answer takes no longer than it must, where there is one."""


@dataclass(frozen=True)
class BadRow:
    """A row that the model cannot read, or has no answer to."""

    row: int
    """Counted from that of the call's first row."""
    why: str
    """Names the column."""


class BadInput(UserError):  # noqa: N818 - named as in ``snaketorch.errors``
    """Rows, or a whole table, that the model cannot read; the message names rows and columns."""

    kind: ClassVar[str] = "data_error"

    def __init__(self, message: str, rows: Sequence[BadRow] = ()):
        super().__init__(message)
        self.rows = tuple(rows)
        """The bad ones; none where the whole table is wrong."""

    @classmethod
    def of(cls, rows: Sequence[BadRow]) -> "BadInput":
        """That tells ``rows``, at most ``MOST_TO_TELL`` of them."""
        told = [f"row {bad.row}: {bad.why}" for bad in rows[:MOST_TO_TELL]]
        more = f"; and {len(rows) - MOST_TO_TELL} more rows" if len(rows) > MOST_TO_TELL else ""
        return cls("; ".join(told) + more, rows)
