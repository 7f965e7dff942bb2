"""Plain scalars by the core schema of YAML 1.2.2 (https://yaml.org/spec/1.2.2/#103-core-schema)."""

import re
from typing import Any

from snaketorch.config.problems import shortened

MAX_DIGITS = 30

NULL = {"", "~", "null", "Null", "NULL"}
_TRUE = {"true", "True", "TRUE"}
_FALSE = {"false", "False", "FALSE"}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NON_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def parse_scalar(text: str) -> Any:
    """The value of a plain (unquoted) scalar.

    Raises:
        ValueError: for a number with a leading zero, or with very many digits.
    """
    if text in NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if _INT.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise ValueError(f"a number of {len(text):,} digits; allowed: {MAX_DIGITS} digits, or quotes")
        return int(text, base=0)
    if _LEADING_ZERO.fullmatch(text):
        raise ValueError(
            f"'{shortened(text)}' may be octal or decimal; allowed: the number without the leading zero, or quotes"
        )
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NON_FINITE.fullmatch(text):
        return float(text.replace(".", "", 1))
    return text
