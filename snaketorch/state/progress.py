"""How far a training is: written while it runs, read by ``python -m snaketorch status``."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snaketorch.publish import replace_text

FILE = "progress.json"


@dataclass(frozen=True)
class Progress:
    """What a training said of itself last."""

    epoch: int
    """Epochs that are done."""
    max_epochs: int
    batch: int
    """Batches of the running epoch that are done."""
    batches: int
    """Batches of an epoch."""
    seconds: float
    """That the training took so far, earlier attempts included."""
    seconds_left: float | None
    """To the last epoch, as fast as in this attempt; None before anything can be said."""
    metrics: dict[str, float | None]
    """Of the last epoch; None for what is no finite number."""
    time: str
    """When this was written, ISO 8601."""
    peak_memory_mb: float | None
    """Of the device."""
    host_memory_mb: float | None
    """The most that this process used of the host's memory."""
    pid: int
    host: str

    @property
    def share(self) -> float:
        """Of all batches, how much is done: from 0 to 1."""
        whole = self.max_epochs * self.batches
        return min(1.0, (self.epoch * self.batches + self.batch) / whole) if whole else 0.0


def write_progress(folder: Path, progress: Progress) -> None:
    """Puts ``progress`` into a state folder. OSError when that cannot be written."""
    replace_text(folder / FILE, json.dumps(dataclasses.asdict(progress), indent=2) + "\n")


def read_progress(folder: Path) -> Progress | None:
    """What the training in a state folder said last; None when it has said nothing that can be understood."""
    try:
        content: dict[str, Any] = json.loads((folder / FILE).read_text("utf-8"))
        return Progress(**{field.name: content[field.name] for field in dataclasses.fields(Progress)})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def host_memory_mb(folder: Path, pid: int, host: str) -> float | None:
    """The most host memory that a process said it used, in a progress file at or under ``folder``."""
    said = [read_progress(path.parent) for path in folder.rglob(FILE)]
    return next((it.host_memory_mb for it in said if it and (it.pid, it.host) == (pid, host)), None)
