"""When processes that train together ask each other what clocks and signals say."""

import time
from collections.abc import Callable

from snaketorch.tasks.peers import Peers

SECONDS = 1.0
"""From one meeting to the next, about: no step of a fast training waits for the slowest process because of them."""


class Meetings:
    """Decisions that all processes take at the same batch, though their clocks differ and one alone gets a signal.

    The batches at which they meet are the same for all: each meeting says which the next is.
    """

    def __init__(self, peers: Peers, clock: Callable[[], float] = time.monotonic):
        self.peers, self.clock = peers, clock
        self.last = self.next = 0
        self.last_time: float | None = None

    def is_due(self, batches: int) -> bool:
        """Whether they meet after so many batches of the whole training. One alone is always free to decide."""
        return self.peers.is_alone or batches == self.last or batches >= self.next

    def agree(self, batches: int, *wishes: bool) -> list[bool]:
        """What one of them at least wishes; for all at the same batch."""
        if self.peers.is_alone:
            return list(wishes)
        pause = self._pause(batches)
        *granted, shortest = self.peers.most(*map(int, wishes), -pause)
        if batches != self.last or self.last_time is None:
            self.last, self.next, self.last_time = batches, batches - shortest, self.clock()
        return [bool(wish) for wish in granted]

    def _pause(self, batches: int) -> int:
        """Batches until the next meeting, at most twice as many as until this one."""
        done = batches - self.last
        if self.last_time is None or done <= 0:
            return 1
        seconds = max(self.clock() - self.last_time, 1e-9)
        return max(1, min(2 * done, round(SECONDS * done / seconds)))
