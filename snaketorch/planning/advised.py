"""One piece of advice."""

from typing import NamedTuple


class Advised(NamedTuple):
    """What to write or to do, and why."""

    what: str
    why: str
