"""One line now and then that says how far a long job is: made to be read in a log file."""

import logging
import time

EVERY = 10.0
"""Seconds between two lines, at least."""


class Progress:
    """Counts what is done and says so at most every ten seconds; nothing of a job that is done before that."""

    def __init__(self, log: logging.Logger, verb: str, things: str, total: int):
        """``verb`` and ``things`` as in `decoded 12,000 of 60,000 images`."""
        self._log, self._verb, self._things, self._total = log, verb, things, total
        self._done = 0
        self._started = self._said = time.monotonic()

    def add(self, count: int) -> None:
        """So many more are done."""
        self._done += count
        now = time.monotonic()
        if now - self._said < EVERY or self._done >= self._total:
            return
        self._said = now
        speed = self._done / (now - self._started)
        self._log.info(
            "%s %s of %s %s, %s a second, about %s left",
            self._verb,
            f"{self._done:,}",
            f"{self._total:,}",
            self._things,
            f"{speed:,.0f}" if speed >= 10 else f"{speed:.1f}",
            _duration((self._total - self._done) / max(speed, 1e-9)),
        )


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
