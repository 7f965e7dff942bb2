"""The files that a user means: by name, by folder, by pattern."""

import glob
import logging
from collections.abc import Collection, Sequence
from pathlib import Path

from snaketorch.data.sources.left_aside import say_endings
from snaketorch.errors import DataError

log = logging.getLogger(__name__)


def find_files(given: Sequence[str], endings: Collection[str]) -> list[Path]:
    """The files that ``given`` names, in that order; those of a folder or a pattern in the order of their names.

    DataError when there are none, or one that is named has none of the ``endings``; others are left aside.
    """
    allowed = ", ".join(sorted(endings))
    found: list[Path] = []
    for text in given:
        path = Path(text)
        if path.is_dir():
            inside = files_in(path, endings)
            if not inside:
                raise DataError(f"{text}: no file in this folder can be read; allowed: {allowed}")
            found += inside
        elif path.exists():
            if not path.name.lower().endswith(tuple(endings)):
                raise DataError(f"{text}: this is no file that the model can be given; allowed: {allowed}")
            found.append(path)
        else:
            matching = [Path(name) for name in _matching(text) if Path(name).is_file()]
            fitting = [name for name in matching if name.name.lower().endswith(tuple(endings))]
            _say_aside(text, [str(name) for name in matching if name not in fitting])
            if not fitting:
                raise DataError(f"{text}: there is no such file; allowed: files, folders and patterns of {allowed}")
            found += fitting
    return list(dict.fromkeys(found))


def files_in(folder: Path, endings: Collection[str]) -> list[Path]:
    """All files below a folder that have one of the ``endings``, sorted; hidden ones are not seen."""
    inside = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(name.startswith(".") for name in path.relative_to(folder).parts)
    ]
    found = [path for path in inside if path.name.lower().endswith(tuple(endings))]
    _say_aside(str(folder), [str(path) for path in inside if path not in set(found)])
    return found


def _matching(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - a Path has no absolute patterns


def _say_aside(where: str, names: Sequence[str]) -> None:
    if names:
        log.warning("%s: left aside: %s", where, say_endings(names))
