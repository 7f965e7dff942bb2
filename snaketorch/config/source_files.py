"""The user's files that a source names: which they are, and whether they are there."""

from collections.abc import Iterator
from pathlib import Path

from snaketorch.config.problems import KeyPath
from snaketorch.config.sources import Source


def files_of(source: Source) -> Iterator[tuple[KeyPath, str]]:
    """Each file or folder that ``source`` names, with the key that names it."""
    for key in source.files:
        value = getattr(source, key)
        if isinstance(value, str):
            yield ("source", key), value
        elif value is not None:
            yield from ((("source", key, index), path) for index, path in enumerate(value))


def missing_files(source: Source, root: Path) -> Iterator[tuple[KeyPath, str]]:
    """The key of each file that is not there, and what to say of it."""
    for key, path in files_of(source):
        if not (root / path).exists():
            start = "" if Path(path).is_absolute() else "; paths start from the folder that holds config/"
            yield key, f"there is no '{path}'{start}; allowed: a file or folder that exists"
