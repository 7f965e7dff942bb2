"""What is wrong with a configuration, said so that its author can mend it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple, Self

from snaketorch.errors import UserError

KeyPath = tuple[str | int, ...]

Conflict = tuple[KeyPath, str]
"""The key that should change, and why."""


class Position(NamedTuple):
    """Where a value was written."""

    file: str
    line: int
    within: KeyPath = ()
    """What its author wrote in front of its key: `experiments.NAME` on the command line."""
    beneath: "Position | None" = None
    """Where the section began that this one, on the command line, only adds to."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong, and where."""

    file: str
    line: int
    key: str
    message: str

    @classmethod
    def at(cls, position: Position, path: KeyPath, message: str) -> Self:
        return cls(position.file, position.line, dotted((*position.within, *path)), message)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return _printable(f"{place}: {self.key + ': ' if self.key else ''}{self.message}")


class ConfigError(UserError):
    """The configuration cannot be used; says everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = sorted(set(problems))
        super().__init__(str(self))

    def __str__(self) -> str:
        count = len(self.problems)
        heading = f"The configuration has {count} problem{'s' if count > 1 else ''}; no job was started:"
        return "\n".join([heading, *(f"  {problem}" for problem in self.problems)])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'lr'?`` when one of ``known`` looks like ``word``, else nothing."""
    by_small_letters = {str(option).lower(): option for option in known}
    close = get_close_matches(str(word).lower(), by_small_letters, n=1, cutoff=0.6)
    return f"; did you mean '{by_small_letters[close[0]]}'?" if close else ""


def listed(names: Iterable[str], most: int = 12) -> str:
    """The names that are allowed, cut where there are very many."""
    names = list(names)
    return ", ".join(names[:most]) + (f", ... ({len(names)} in all)" if len(names) > most else "")


def dotted(path: KeyPath) -> str:
    """``path`` as it is shown; a key that is no plain word in quotes."""
    return ".".join(str(key) if re.fullmatch(r"[\w-]{1,60}", str(key)) else f"'{shortened(str(key))}'" for key in path)


def shortened(text: str, most: int = 60) -> str:
    """``text``, cut where it is longer than a message should be."""
    return text if len(text) <= most else text[: most - 3] + "..."


def _printable(text: str) -> str:
    """One line that every terminal can show, whatever stood in the file."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )
