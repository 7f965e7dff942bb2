"""What a file of the configuration holds, and where."""

from dataclasses import dataclass, field
from typing import Any

from snaketorch.config.problems import KeyPath, Position, Problem


class Unread:
    """Stands for a value that could not be read and was reported where it stands."""


UNREAD = Unread()


def is_read(value: Any) -> bool:
    """Whether nothing in ``value`` is ``UNREAD``."""
    if isinstance(value, dict | list):
        return all(map(is_read, value.values() if isinstance(value, dict) else value))
    return value is not UNREAD


@dataclass
class Document:
    """A file's content with the position of every key."""

    file: str
    data: Any = None
    """A mapping, or None when there is nothing to go on with."""
    positions: dict[KeyPath, Position] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True
    """False when some of its keys may be missing only because what it extends could not be read."""

    def position(self, path: KeyPath) -> Position:
        """Where ``path`` stands, or the nearest section around it."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.positions:
                return self.positions[path[:length]]
        return Position(self.file, 0)

    def gap(self, path: KeyPath) -> Position:
        """Where ``path``, which is nowhere, is missing: in this file, not in one that it extends."""
        for length in range(len(path), -1, -1):
            place = self.positions.get(path[:length])
            while place and place.beneath:
                place = place.beneath
            if place and (place.file == self.file or not place.line):
                return place
        return Position(self.file, 0)
