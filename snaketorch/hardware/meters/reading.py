"""What a meter of a GPU says."""

from collections.abc import Callable
from typing import NamedTuple


class Reading(NamedTuple):
    """One look at a GPU; what its tool does not tell is None."""

    utilisation: float | None = None
    """Share of the last moment, a second at most, in which it computed; from 0 to 1."""
    watts: float | None = None
    """Power that it takes."""


Meter = Callable[[], Reading | None]
"""Reads a GPU; None when its tool gives no answer."""


def number(text: object) -> float | None:
    """The number that a tool writes as ``text``, also where it says `N/A` or the like."""
    try:
        return float(str(text).strip())
    except ValueError:
        return None


def reading(percent: object, watts: object) -> Reading | None:
    """What a tool says in its own words; None when it says nothing.

    A part of a GPU (MIG) has no utilisation, and the power that is told is that of the whole: it counts as untold.
    """
    busy, power = number(percent), number(watts)
    return None if busy is None else Reading(min(max(busy / 100, 0.0), 1.0), power)
