"""How a sweep tells its trials, in other processes and on other machines, to save themselves and end."""

import time
from collections.abc import Callable
from pathlib import Path

LOOK_SECONDS = 1.0
"""From one look at the file to the next: a network share answers slowly."""


class StopFile:
    """Takes the place of signals in a trial: a file that is there asks it to end."""

    save_asked = False

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic):
        self.path, self.clock = path, clock
        self.ended_at = 0.0
        self._seen = False
        self._looked_at = float("-inf")

    @property
    def ended_by(self) -> str | None:
        """Who asked the trial to end; None as long as nobody did."""
        now = self.clock()
        if not self._seen and now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._seen = self.path.exists()
            self.ended_at = now
        return "its sweep" if self._seen else None

    def install(self) -> None:
        """Nothing: the process that runs the trial is not the one that gets signals."""
