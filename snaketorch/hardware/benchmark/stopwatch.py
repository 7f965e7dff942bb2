"""How long work takes on a device, at its best."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

LONG_ENOUGH = 0.005
"""Seconds that a piece of work should take, to be more than its start."""


@dataclass(frozen=True)
class Stopwatch:
    """Times work on a device."""

    device: torch.device
    budget: float
    """Seconds for one measurement, about; work that takes longer is still done a few times."""
    windows: int = 5
    """The time is divided into so many, of which the best counts: what else the machine does is no matter of it."""

    def seconds(self, work: Callable[[], object]) -> float:
        """Of one piece of work, when it is done over and over."""
        self._run(work, 1)  # allocates, compiles, chooses algorithms
        once = self._run(work, 1)
        times = max(1, min(1000, int(self.budget / self.windows / max(once, 1e-7))))
        return min(self._run(work, times) for _ in range(self.windows if once < self.budget else 1)) / times

    def is_long(self, work: Callable[[], object]) -> bool:
        """Whether a piece of work is long enough to be measured well."""
        self._run(work, 1)
        return min(self._run(work, 1) for _ in range(2)) >= LONG_ENOUGH

    def _run(self, work: Callable[[], object], times: int) -> float:
        self._wait()
        start = time.perf_counter()
        for _ in range(times):
            work()
        self._wait()
        return time.perf_counter() - start

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def doubled(first: int, last: int) -> Iterator[int]:
    """``first``, twice that and so on, up to ``last``."""
    return (first << number for number in range(int(math.log2(last // first)) + 1))
