"""How one job stands."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from snaketorch.state.progress import Progress
from snaketorch.state.sweep_progress import SweepProgress


class State(StrEnum):
    """What can be said of a job in one word."""

    DONE = "done"
    """Its results are there, and are those that it would make now."""
    RUNNING = "running"
    WAITING = "waiting"
    """It has not begun."""
    INTERRUPTED = "interrupted"
    """It has begun, nobody is at it, and it goes on where it was."""
    STALE = "stale"
    """Its results are there, and are not those that it would make now."""
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """The state of a job, and what there is to say about it."""

    state: State
    why: tuple[str, ...] = ()
    """Reasons, one each."""
    failure: dict[str, Any] | None = None
    """``kind``, ``message``, ``attempt``, ``retried``, ``log`` of its last failure."""
    holder: str | None = None
    """Who runs it."""
    progress: Progress | None = None
    trials: SweepProgress | None = None
    """Of a sweep."""

    @property
    def is_done(self) -> bool:
        return self.state is State.DONE
