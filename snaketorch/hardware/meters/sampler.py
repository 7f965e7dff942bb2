"""Reads the meter of a GPU now and then, while something else computes."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from snaketorch.hardware.meters.reading import Meter, Reading

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
"""Between two readings, at least."""
TIMES_ITS_COST = 20
"""The pause is also at least so many times as long as a reading takes: a tool that is a program costs a core's time."""
FAILURES = 3
"""Readings in a row without an answer, after which there are no more."""


@dataclass(frozen=True)
class Load:
    """What meters said over a time; two of them add up."""

    busy_seconds: float = 0.0
    """Seconds times the utilisation in them."""
    told_seconds: float = 0.0
    """For which the utilisation is known."""
    joules: float = 0.0
    powered_seconds: float = 0.0
    """For which the power is known."""

    @property
    def utilisation(self) -> float | None:
        """From 0 to 1; None when nothing is known."""
        return self.busy_seconds / self.told_seconds if self.told_seconds else None

    @property
    def watts(self) -> float | None:
        return self.joules / self.powered_seconds if self.powered_seconds else None

    def with_reading(self, reading: Reading, seconds: float) -> Self:
        """What was said before, and a reading that stands for the ``seconds`` before it."""
        told, powered = reading.utilisation is not None, reading.watts is not None
        return type(self)(
            self.busy_seconds + (reading.utilisation or 0.0) * seconds,
            self.told_seconds + seconds * told,
            self.joules + (reading.watts or 0.0) * seconds,
            self.powered_seconds + seconds * powered,
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.busy_seconds + other.busy_seconds,
            self.told_seconds + other.told_seconds,
            self.joules + other.joules,
            self.powered_seconds + other.powered_seconds,
        )


class Sampler:
    """A thread that reads a meter; nothing that happens in it reaches who started it.

    It is never waited for: a tool that hangs ends with its time limit, or with the process.
    """

    def __init__(self, find: Callable[[], Meter | None]):
        """``find``: gives the meter, in the thread, for to ask which tool answers takes its time too."""
        self._find = find
        self._load = Load()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="meter of the GPU", daemon=True)

    def start(self) -> None:
        """Begins to read."""
        try:
            self._thread.start()
        except RuntimeError as error:  # no more threads
            log.debug("The GPU's meter is not read: %s", error)

    def stop(self) -> None:
        """Ends it after the reading that it may be in, which does not count any more."""
        self._ended.set()

    @property
    def load(self) -> Load:
        """What was read so far."""
        return self._load

    def _run(self) -> None:
        try:
            meter = self._find()
            if meter:
                self._sample(meter)
        except Exception as error:
            log.debug("The GPU's meter is not read any more: %s", error)

    def _sample(self, meter: Meter) -> None:
        failures, pause, last = 0, PAUSE_SECONDS, time.monotonic()
        while failures < FAILURES and not self._ended.wait(pause):
            began = time.monotonic()
            reading = meter()
            now = time.monotonic()
            if self._ended.is_set():
                return
            pause = max(PAUSE_SECONDS, TIMES_ITS_COST * (now - began))
            failures = 0 if reading else failures + 1
            if reading:
                self._load = self._load.with_reading(reading, now - last)
            last = now
