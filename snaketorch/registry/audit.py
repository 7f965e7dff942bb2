"""The audit of a registry: who moved which alias, when, why, and from which run. Lines are only ever added.

``results/audit.jsonl`` has two lines for each move, one before anything is done and one after, both on the disk before
it goes on. A move without its second line was cut short, which the next command mends.
"""

import json
import os
import socket
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from snaketorch import layout
from snaketorch.json_lines import end_last_line, read_json_lines
from snaketorch.publish import sync_folder
from snaketorch.tracking.locks import locked
from snaketorch.tracking.user import user_name

FORMAT = 1

State = Literal["begun", "done", "undone", "overtaken"]
"""``undone``: was cut short, and is taken back. ``overtaken``: another move came in between, whose result stands."""
Aliases = dict[str, str | None]


@dataclass(frozen=True)
class Entry:
    """One line."""

    id: str
    """The same on both lines of a move."""
    state: State
    time: str
    """UTC."""
    who: str
    action: str
    """``candidate``, ``promote``, ``rollback`` or ``archive``."""
    model: str
    version: str
    reason: str
    registry: str
    """Address, without credentials."""
    run: str | None
    """Key of the training that the version comes from."""
    before: Aliases
    after: Aliases
    """What is meant, or what came of it."""
    healed: bool = False
    """Whether the second line is of a later command."""

    def then(self, state: State, after: Aliases, healed: bool = False) -> "Entry":
        """The second line of this move."""
        return Entry(**{**asdict(self), "state": state, "time": now(), "after": after, "healed": healed})


@dataclass(frozen=True)
class Audit:
    """The file."""

    path: Path = Path(layout.AUDIT)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Moves of this folder are made one after the other."""
        with locked(self.path.with_name(f".{self.path.name}.lock")):
            yield

    def add(self, entry: Entry) -> None:
        """Adds a line, which is on the disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        end_last_line(self.path)
        is_new = not self.path.exists()
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"format": FORMAT, **asdict(entry)}, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync_folder(self.path.parent)

    def entries(self) -> list[Entry]:
        """All lines that are whole and of this format."""
        lines = [line for line in read_json_lines(self.path) if isinstance(line, dict)]
        return [_entry(line) for line in lines if line.get("format") == FORMAT and line.keys() >= _NEEDED]

    def unfinished(self, registry: str, model: str) -> list[Entry]:
        """The moves of a model that were cut short, the oldest first. Ask only with the turn."""
        entries = [entry for entry in self.entries() if (entry.registry, entry.model) == (registry, model)]
        ended = {entry.id for entry in entries if entry.state != "begun"}
        return [entry for entry in entries if entry.id not in ended]


_NEEDED = {field.name for field in fields(Entry) if field.default is MISSING}


def now() -> str:
    """The time for a line."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def new_id() -> str:
    """Of a move."""
    return uuid.uuid4().hex[:12]


def who() -> str:
    """The user, on which machine and in which job."""
    job = os.environ.get("SLURM_JOB_ID")
    return f"{user_name()}@{socket.gethostname()}" + (f", Slurm job {job}" if job else "")


def _entry(line: Mapping[str, Any]) -> Entry:
    return Entry(**{name: line[name] for name in Entry.__dataclass_fields__ if name in line})
