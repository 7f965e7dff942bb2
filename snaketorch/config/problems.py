"""What is wrong with a configuration, said so that its author can mend it."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong, and where."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key + ': ' if self.key else ''}{self.message}"


class ConfigError(Exception):
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
    close = get_close_matches(str(word), list(known), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""
