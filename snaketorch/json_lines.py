"""Files that are only ever added to, a JSON value a line; a kill spoils at most the last one."""

import json
from pathlib import Path
from typing import Any


def read_json_lines(path: Path) -> list[Any]:
    """The lines that are whole; none where there is no file."""
    if not path.exists():
        return []
    found = []
    for line in path.read_bytes().split(b"\n"):  # text may hold other line ends
        try:
            found.append(json.loads(line))
        except ValueError:  # no JSON, or half a letter
            continue
    return found


def end_last_line(path: Path) -> None:
    """Keeps a line that a kill cut off from spoiling the next one."""
    if path.exists() and path.stat().st_size and not path.read_bytes().endswith(b"\n"):
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")
