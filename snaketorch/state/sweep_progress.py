"""How far a sweep is: written while it runs, read by ``python -m snaketorch status``."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snaketorch.publish import replace_text

FILE = "sweep-progress.json"
WORDS = {"finished": "finished", "stopped": "stopped early", "failed": "failed", "out_of_memory": "out of memory"}


@dataclass(frozen=True)
class SweepProgress:
    """What a sweep said of itself last."""

    ended: dict[str, int]
    """Trials that are done, by how they ended."""
    asked: int | None
    """Trials in all; None for as many as there are."""
    metric: str
    best: float | None
    """Of all trials so far; None before there is any."""
    best_trial: int | None
    seconds_left: float | None
    """About; None before anything can be said."""
    time: str
    """When this was written, ISO 8601."""

    def __str__(self) -> str:
        """Such as ``12 of 32 trials done (7 finished, 5 stopped early), best val/accuracy 0.981 (trial 5)``."""
        said = ", ".join(f"{self.ended[status]} {word}" for status, word in WORDS.items() if self.ended.get(status))
        of = f" of {self.asked}" if self.asked else ""
        done = f"{sum(self.ended.values())}{of} trials done" + (f" ({said})" if said else "")
        return done if self.best is None else f"{done}, best {self.metric} {self.best:.4g} (trial {self.best_trial})"


def write_sweep_progress(folder: Path, progress: SweepProgress) -> None:
    """Puts ``progress`` into the state folder of a sweep. OSError when that cannot be written."""
    replace_text(folder / FILE, json.dumps(dataclasses.asdict(progress), indent=2) + "\n")


def read_sweep_progress(folder: Path) -> SweepProgress | None:
    """What the sweep in a state folder said last; None when it has said nothing that can be understood."""
    try:
        content: dict[str, Any] = json.loads((folder / FILE).read_text("utf-8"))
        return SweepProgress(**{field.name: content[field.name] for field in dataclasses.fields(SweepProgress)})
    except (OSError, ValueError, KeyError, TypeError):
        return None
