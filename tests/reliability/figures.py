"""What was proven, one line a figure, for the table of the full proof."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

FULL = bool(os.environ.get("SNAKETORCH_PROVE"))
"""Whether the counts are those of the full proof (`make prove`)."""

FILE = os.environ.get("SNAKETORCH_FIGURES")


def count(small: int, full: int) -> int:
    """How often something is tried."""
    return full if FULL else small


def prove(number: int, figure: str, must: str, found: str, wrong: Sequence[str], how: str = "") -> None:
    """Notes the figure; AssertionError when anything was ``wrong``.

    Args:
        number: The row of the issue's table that it belongs to.
        figure: What was counted.
        must: What it must be.
        found: What it was.
        wrong: What was not as it must be, each with what it takes to see it again.
        how: What else a reader should know.
    """
    row = {"number": number, "figure": figure, "must": must, "found": found, "how": how, "wrong": list(wrong)}
    if FILE:
        with Path(FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    assert not wrong, "\n".join([f"{figure}: {found}, must be {must}", *wrong])
