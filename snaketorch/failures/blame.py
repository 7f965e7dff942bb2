"""Whose code raised an error: the package's, or the user's own module."""

import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from types import TracebackType

PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Culprit:
    """The innermost line, in code that someone here can mend, on the way to an error."""

    file: str
    """Relative to the working directory or to the package's folder, where it lies there."""
    line: int
    function: str
    is_users: bool

    def __str__(self) -> str:
        return f"{self.file}, line {self.line} ({self.function})"


def culprit(error: BaseException) -> Culprit | None:
    """Where ``error`` comes from: libraries that were called from there are left out. None when nothing is known."""
    found = None
    for path, line, function in _frames(error.__traceback__):
        if path.is_relative_to(PACKAGE):
            found = Culprit(path.relative_to(PACKAGE.parent).as_posix(), line, function, is_users=False)
        elif path.is_absolute() and not _is_library(path):
            here = Path.cwd()
            shown = path.relative_to(here) if path.is_relative_to(here) else path
            found = Culprit(shown.as_posix(), line, function, is_users=True)
    return found


def _frames(traceback: TracebackType | None) -> Iterator[tuple[Path, int, str]]:
    for frame, line in walk_tb(traceback):
        yield Path(frame.f_code.co_filename), line, frame.f_code.co_name


def _is_library(path: Path) -> bool:
    """Whether a file is of Python itself or of an installed package."""
    parts = {"site-packages", "dist-packages"}
    return not parts.isdisjoint(path.parts) or path.is_relative_to(sysconfig.get_path("stdlib"))
