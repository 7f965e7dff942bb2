"""Text files that are UTF-8, or are refused with the place where they are not."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from snaketorch.errors import DataError

_BLOCK = 1 << 20
_MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


def check_utf8(path: Path) -> None:
    """DataError when the file is empty or no UTF-8 text; says the line, or what it seems to be instead."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with path.open("rb") as stream:
        block = stream.read(_BLOCK)
        if not block.strip():
            raise DataError(f"{path}: the file is empty")
        for mark, name in _MARKS.items():
            if block.startswith(mark):
                raise DataError(f"{path}: the text is {name}; allowed: UTF-8. Save the file as UTF-8")
        while block:
            if b"\0" in block:
                line += block[: block.index(b"\0")].count(b"\n")
                raise DataError(f"{path}:{line}: there is a zero byte; allowed: text in UTF-8")
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                byte = error.object[error.start]
                raise DataError(
                    f"{path}:{line}: the byte 0x{byte:02x} is no UTF-8 (in Latin-1 it is '{chr(byte)}'); "
                    "allowed: text in UTF-8. Save the file as UTF-8"
                ) from None
            line += block.count(b"\n")
            block = stream.read(_BLOCK)
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise DataError(f"{path}:{line}: the file ends within a character; allowed: whole text in UTF-8") from None


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """The text of a file that is checked to be UTF-8."""
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    check_utf8(path)
    with path.open(encoding="utf-8-sig") as stream:
        yield stream
