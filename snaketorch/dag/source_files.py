"""Digests of the user's files that a dataset is made from: when they change, it is prepared again."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from snaketorch import layout
from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.source_files import files_of, is_seen


def source_digest(root: Path, name: str, dataset: DatasetConfig, result: str = layout.MANIFEST) -> str:
    """16 hexadecimal digits for the names, sizes and times of the files of a dataset; `none` when it has none.

    Raw files that are gone (archived, on another machine) are not missed once the dataset is prepared: then it is
    the digest that its manifest remembers, or another ``result`` that was made from them. It never fails, for
    Snakemake asks for it before any job: what cannot be read counts by its name alone, and the job says what is
    wrong with it.
    """
    source = dataset.source
    paths = [root / path for _, path in files_of(source, root)]
    if not paths:
        # an empty word would be no argument on a command line
        return _remembered(root / result.format(dataset=name), "none") if source.possible_files else "none"
    if not all(map(is_seen, paths)):
        return _remembered(root / result.format(dataset=name), "missing")
    total = hashlib.sha256()
    for path in paths:
        for place, size, time in _entries(path):
            total.update(f"{place}\0{size}\0{time}\0".encode(errors="surrogateescape"))
    return total.hexdigest()[:16]


def _remembered(result: Path, otherwise: str) -> str:
    """The digest in what was made from the files; ``otherwise`` where that is not there."""
    try:
        return json.loads(result.read_text("utf-8"))["record"]["source_digest"]
    except (OSError, ValueError, KeyError):
        return otherwise


def _entries(path: Path) -> Iterator[tuple[str, int, int]]:
    """Name, size and time of change of a file, or of every file below a folder, in a fixed order.

    Size and time are -1 for what cannot be read, and for a link to a folder that it lies in, which is not entered.
    """
    if not path.is_dir():
        yield path.name, *_stamp(path)
        return
    waiting = [("", frozenset())]
    while waiting:
        inside, above = waiting.pop()
        try:
            status = (path / inside).stat()
            here = (status.st_dev, status.st_ino)
            if here in above:
                yield inside, -1, -1
                continue
            with os.scandir(path / inside) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            yield inside, -1, -1
            continue
        for entry in found:
            place = f"{inside}/{entry.name}" if inside else entry.name
            try:
                is_folder, is_file = entry.is_dir(), entry.is_file()
            except OSError:  # a link to itself
                yield place, -1, -1
                continue
            if is_folder:
                waiting.append((place, above | {here}))
            elif is_file:
                yield place, *_stamp(entry)


def _stamp(file: Path | os.DirEntry) -> tuple[int, int]:
    """Size and time of change."""
    try:
        status = file.stat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns
