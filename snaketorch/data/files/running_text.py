"""Text files as one running text."""

import codecs
import io
from collections.abc import Iterator
from pathlib import Path

from snaketorch.data.files.lines import no_utf8, open_bytes
from snaketorch.errors import DataError

PART_BYTES = 1 << 20


def read_text(path: Path) -> Iterator[str]:
    """The text of a file in parts of bounded size, with line ends as of Unix whatever system wrote it.

    DataError for what ``open_bytes`` refuses, and for bytes that are no UTF-8 text.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    ends = io.IncrementalNewlineDecoder(None, translate=True)
    with open_bytes(path) as stream:
        position = stream.tell()
        while True:
            part = stream.read(PART_BYTES)
            waiting = decoder.getstate()[0]
            start = position - len(waiting)
            try:
                text = decoder.decode(part, final=not part)
            except UnicodeDecodeError as error:
                raise DataError(f"{path}: {no_utf8(error.object[error.start], start + error.start)}") from error
            if b"\0" in part:
                raise DataError(f"{path}: has a NUL byte at position {position + part.index(0)}; allowed: UTF-8 text")
            yield ends.decode(text, final=not part)
            if not part:
                return
            position += len(part)
