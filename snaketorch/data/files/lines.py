"""Bytes and lines of a text file, each line with its number, whatever is wrong with some of them."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from snaketorch.errors import DataError

MOST_BYTES = 1 << 26
"""Of one line: a file without line ends must not fill the memory."""

_SIGNATURES = {
    codecs.BOM_UTF16_LE: "is UTF-16; allowed: UTF-8, as which an editor can save it",
    codecs.BOM_UTF16_BE: "is UTF-16; allowed: UTF-8, as which an editor can save it",
    b"PK\x03\x04": "is a ZIP archive, as Excel writes; allowed: plain text, such as Excel's `CSV UTF-8`",
    b"\x1f\x8b": "is compressed, but its name does not end in .gz; allowed: `.gz` at the end of the name",
    b"PAR1": "is a Parquet file; allowed: `.parquet` at the end of the name",
}


class Line(NamedTuple):
    """One line of a file."""

    number: int
    """As an editor shows it, from 1."""
    text: str
    """With its end."""
    trouble: str
    """What is wrong with its bytes; empty when nothing is."""


@contextmanager
def open_bytes(path: Path) -> Iterator[io.BufferedIOBase]:
    """The bytes of a text file, unpacked if it ends in `.gz`, without a byte-order mark.

    DataError when it is not there, is empty, cannot be unpacked, or is seen to be no UTF-8 text.
    """
    if not path.is_file():
        raise DataError(f"{path}: {'this is a folder' if path.is_dir() else 'there is no such file'}; allowed: a file")
    packed = path.suffix.lower() == ".gz"
    try:
        with gzip.open(path) if packed else path.open("rb") as stream:
            head = stream.peek(4096)[:4096]
            for signature, message in _SIGNATURES.items():
                if head.startswith(signature):
                    raise DataError(f"{path}: the file {message}")
            if not head:
                raise DataError(f"{path}: the file is empty")
            if head[:200].count(0) >= 2:
                raise DataError(f"{path}: the file holds NUL bytes, as UTF-16 and binary files do; allowed: UTF-8 text")
            if head.startswith(codecs.BOM_UTF8):
                stream.read(len(codecs.BOM_UTF8))
            yield stream
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: the file cannot be unpacked ({error}); it may be cut off") from error


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a text file. DataError as from ``open_bytes``, and for a line that is too long to be one."""
    with open_bytes(path) as stream:
        number, position = 0, stream.tell()
        while line := stream.readline(MOST_BYTES):
            number += 1
            if len(line) == MOST_BYTES:
                raise DataError(f"{path}: line {number} is longer than {MOST_BYTES >> 20} MB; allowed: a row a line")
            try:
                text, trouble = line.decode(), ""
            except UnicodeDecodeError as error:
                text, trouble = line.decode(errors="replace"), no_utf8(line[error.start], position + error.start)
            if "\0" in text:
                trouble = trouble or f"has a NUL byte at position {position + line.index(0)} of the file"
            yield Line(number, text, trouble)
            position += len(line)


def no_utf8(byte: int, position: int) -> str:
    """What is wrong with a byte at a position of a file."""
    return f"is not UTF-8: byte 0x{byte:02x} at position {position} of the file (Latin-1 or Windows-1252?)"
