"""When a batch was asked for, was there, and was done: by the host's clock, or in a GPU's own time."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import torch

log = logging.getLogger(__name__)

MOST_PENDING = 4096
"""Batches that a GPU may be behind the host; further ones are not measured."""


class Batch(NamedTuple):
    """What one batch took."""

    waited: float
    """Seconds from the moment that nothing was left to do until the batch was there."""
    seconds: float
    """All of it, ``waited`` included."""
    ends_step: bool
    """Whether the optimizer stepped at its end."""


class Marks(Protocol):
    """Measures batches one after the other; what lies between two is not measured."""

    def asked(self) -> None:
        """The batch is asked for."""

    def arrived(self) -> None:
        """It is there."""

    def done(self, ends_step: bool) -> None:
        """It is trained on."""

    def measured(self) -> Iterator[Batch]:
        """Batches of which it is known by now, each once, in their order."""


class HostMarks:
    """By a clock of the host, for a device that has done what it was told when the call returns."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter):
        self.clock = clock
        self._asked = self._arrived = clock()
        self._batch: Batch | None = None

    def asked(self) -> None:
        self._asked = self.clock()

    def arrived(self) -> None:
        self._arrived = self.clock()

    def done(self, ends_step: bool) -> None:
        self._batch = Batch(self._arrived - self._asked, self.clock() - self._asked, ends_step)

    def measured(self) -> Iterator[Batch]:
        if self._batch:
            batch, self._batch = self._batch, None
            yield batch


class GpuMarks:
    """By marks in the GPU's queue of work, which it passes when it has done all before them.

    The host tells a GPU what to do long before it does it, so its clock would time the telling. Nobody waits for a
    mark: those that were passed are read later. A GPU that still computes when the batch arrives did not wait for it.

    When marks fail, no more are set: an error of the GPU is told by the training, which meets it too.
    """

    def __init__(self, event: Callable[[], torch.cuda.Event] | None = None):
        """``event``: makes an event whose time can be read."""
        self._event = event or (lambda: torch.cuda.Event(enable_timing=True))
        self._set: list[torch.cuda.Event] = []
        self._pending: deque[tuple[list[torch.cuda.Event], bool]] = deque()
        self._works = True

    def asked(self) -> None:
        self._set = []
        self._mark()

    def arrived(self) -> None:
        self._mark()

    def done(self, ends_step: bool) -> None:
        self._mark()
        if len(self._set) == 3 and len(self._pending) < MOST_PENDING:
            self._pending.append((self._set, ends_step))
        self._set = []

    def measured(self) -> Iterator[Batch]:
        while self._works and self._pending:
            batch = self._first()
            if batch is None:
                return
            yield batch

    def _mark(self) -> None:
        if not self._works:
            return
        try:
            event = self._event()
            event.record()
        except Exception as error:
            self._fail(error)
        else:
            self._set.append(event)

    def _first(self) -> Batch | None:
        """The batch that is pending longest, if the GPU is done with it."""
        (asked, arrived, done), ends_step = self._pending[0]
        try:
            if not done.query():
                return None
            milliseconds = asked.elapsed_time(arrived), asked.elapsed_time(done)
        except Exception as error:
            self._fail(error)
            return None
        self._pending.popleft()
        return Batch(milliseconds[0] / 1000, milliseconds[1] / 1000, ends_step)

    def _fail(self, error: Exception) -> None:
        self._works = False
        self._pending.clear()
        log.debug("Steps are not measured any more: %s", error)
