"""What the cells of a column are: numbers, text, or missing; the same for every format of file."""

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snaketorch.config.problems import shortened

MISSING_NUMBERS = ("", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "?")
"""What stands for a missing value in a column of numbers, in small letters."""

NO_NUMBER = ", no number"
"""How the fault of a text in a column of numbers ends; its column may be no column of numbers."""

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_CODE = r"^[+-]?0[0-9]+$"
_WITH_COMMAS = r"^[+-]?([0-9]+,[0-9]+|[0-9]{1,3}([,.' ][0-9]{3})+([.,][0-9]+)?)$"
_INFINITE = r"^[+-]?inf(inity)?$"


def plain(column: pa.Array) -> pa.Array:
    """A column whose values stand in it themselves, not as references into a dictionary."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def is_text(kind: pa.DataType) -> bool:
    """Whether a plain column of this type holds text, in which numbers may be written."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view()


def is_number(kind: pa.DataType) -> bool:
    """Whether a plain column of this type holds numbers; true and false are none."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def is_usable(kind: pa.DataType) -> bool:
    """Whether ``as_text`` can read a plain column of this type."""
    others = (pa.types.is_boolean, pa.types.is_temporal, pa.types.is_null)
    return is_text(kind) or is_number(kind) or any(is_kind(kind) for is_kind in others)


def as_text(column: pa.Array) -> pa.Array:
    """A plain column as trimmed text: null where a value is missing, whole numbers without a point, ISO 8601 dates."""
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    text = pc.utf8_trim_whitespace(pc.cast(column, pa.string()))
    return pc.if_else(pc.equal(text, ""), None, text)


def as_numbers(column: pa.Array) -> tuple[np.ndarray, dict[int, str]]:
    """A plain column as numbers (float64; NaN where one is missing), and by row what is wrong with those that are none.

    Of the types, those of text and of numbers, true and false (1 and 0), and null.
    """
    if not is_text(column.type):
        if pa.types.is_temporal(column.type):
            return np.full(len(column), np.nan), dict.fromkeys(range(len(column)), f"a date or time{NO_NUMBER}")
        numbers = _to_numpy(column)
        return numbers, _infinite(numbers)
    text = as_text(column)
    missing = pc.or_(pc.is_null(text), pc.fill_null(pc.is_in(pc.utf8_lower(text), pa.array(MISSING_NUMBERS)), False))
    readable = pc.fill_null(pc.match_substring_regex(text, _NUMBER), False)
    numbers = _to_numpy(pc.replace_substring_regex(pc.if_else(readable, text, None), r"^\+", ""))
    wrong = np.flatnonzero(pc.invert(pc.or_(missing, readable)).to_numpy(zero_copy_only=False))
    return numbers, _infinite(numbers) | {row: _what_is_wrong(text[row].as_py()) for row in wrong.tolist()}


def _to_numpy(column: pa.Array) -> np.ndarray:
    return pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)


def _infinite(numbers: np.ndarray) -> dict[int, str]:
    return {int(row): "infinite" for row in np.flatnonzero(np.isinf(numbers))}


def _what_is_wrong(value: str) -> str:
    if re.search(_INFINITE, value, re.IGNORECASE):
        return "infinite"
    if re.search(_WITH_COMMAS, value):
        return f"'{value}', with a comma or separated thousands; allowed: such as 1234.5"
    return f"'{shortened(value, 40)}'{NO_NUMBER}"


@dataclass
class ColumnSurvey:
    """What a column holds, to tell numbers from categories."""

    values: int = 0
    """Cells that are not missing."""
    numbers: int = 0
    """Of them, those that are numbers, in however odd a way."""
    codes: int = 0
    """Of them, whole numbers with zeros in front, as in postal codes."""

    def add(self, column: pa.Array) -> None:
        """More of the column, plain."""
        text = as_text(column)
        text = text.filter(pc.is_valid(text))
        text = text.filter(pc.invert(pc.is_in(pc.utf8_lower(text), pa.array(MISSING_NUMBERS))))
        self.values += len(text)
        if is_text(column.type):
            self.numbers += _count(text, "|".join((_NUMBER, _WITH_COMMAS, f"(?i:{_INFINITE})")))
            self.codes += _count(text, _CODE)
        elif is_number(column.type):
            self.numbers = self.values

    @property
    def is_number(self) -> bool:
        """Whether the column is one of numbers: at least half of its values are, and none is a code."""
        return 2 * self.numbers >= self.values and not self.codes


def _count(text: pa.Array, pattern: str) -> int:
    return pc.sum(pc.match_substring_regex(text, pattern), min_count=0).as_py()
