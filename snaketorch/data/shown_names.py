"""Names as text that every file and terminal can hold: of files whose names are no UTF-8, or hold line ends."""

import os
from typing import Any


def shown(name: str) -> str:
    r"""The name of a file or folder; bytes that are no UTF-8, and what cannot be printed, as ``\xe9`` or ``\n``."""
    if name.isprintable():  # half a surrogate pair is not
        return name
    try:
        whole = os.fsencode(name).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        whole = name
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in whole
    )


def writable(value: Any) -> Any:
    """A JSON value whose texts can all be written as UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {writable(key): writable(item) for key, item in value.items()}
    return [writable(item) for item in value] if isinstance(value, list | tuple) else value
