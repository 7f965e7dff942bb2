"""Digests of the user's files that a dataset is made from: when they change, it is prepared again."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from snaketorch import layout
from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.source_files import files_of


def source_digest(root: Path, name: str, dataset: DatasetConfig) -> str:
    """16 hexadecimal digits for the names, sizes and times of the files of a dataset; `none` when it has none.

    Raw files that are gone (archived, on another machine) are not missed once the dataset is prepared:
    then it is the digest that its manifest remembers.
    """
    paths = [root / path for _, path in files_of(dataset.source)]
    if not paths:
        return "none"  # an empty word would be no argument on a command line
    if not all(path.exists() for path in paths):
        manifest = root / layout.MANIFEST.format(dataset=name)
        try:
            return json.loads(manifest.read_text("utf-8"))["record"]["source_digest"]
        except (OSError, ValueError, KeyError):
            return "missing"  # the job itself says what is
    total = hashlib.sha256()
    for path in paths:
        for place, size, time in _entries(path):
            total.update(f"{place}\0{size}\0{time}\0".encode(errors="surrogateescape"))
    return total.hexdigest()[:16]


def _entries(path: Path) -> Iterator[tuple[str, int, int]]:
    """Name, size and time of change of a file, or of every file below a folder, in a fixed order."""
    if not path.is_dir():
        status = path.stat()
        yield path.name, status.st_size, status.st_mtime_ns
        return
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        with os.scandir(path / inside) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            place = f"{inside}/{entry.name}" if inside else entry.name
            if entry.is_dir():
                waiting.append(place)
            elif entry.is_file():
                status = entry.stat()
                yield place, status.st_size, status.st_mtime_ns
