"""Several threads that decode files, within a budget of pixels in flight."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from snaketorch.errors import DataError

TASK_VALUES = 2**21
"""Decoded values (bytes) that one task is about, unless a single sample has more."""
TASK_FILES = 256
BUDGET_VALUES = 2**26
"""Decoded values (bytes) that may be waiting or under way at once, unless a single sample has more: 64 MB."""
MOST_THREADS = 16
QUICK = 3e-4
"""Seconds a file below which one thread is faster than several: it is Python's time then, which has one lock."""

Sample = tuple[int, tuple[int, ...] | DataError]
"""The row of a file and the shape that its header promises, or what is wrong with that."""


def num_threads() -> int:
    """Threads that may decode: as many as the job has, for PIL lets go of Python's lock while it decodes.

    Snakemake says in `OMP_NUM_THREADS` how many a rule has, by which NumPy and PyTorch go too.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(int(asked) if asked.isdigit() and int(asked) else len(os.sched_getaffinity(0)), MOST_THREADS)


class DecodingPool:
    """Decodes files in the order that is asked for, whatever the number of threads."""

    def __init__(self, decode: Callable[[int], Any], task_values: int | None = None):
        """``decode`` gives the pixels of a row's file, or raises DataError; ``task_values``: values of a task."""
        self._decode, self._task_values = decode, task_values

    def decode(self, samples: Iterable[Sample]) -> Iterator[list[Any]]:
        """What ``decode`` gives for each sample, in parts; a DataError in the place of one that is bad."""
        return self._in_order(self._run, _tasks(samples, self._task_values or TASK_VALUES))

    def map_in_order(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        """``function`` of each item, in order."""
        starts = range(0, len(items), TASK_FILES)
        tasks = ((BUDGET_VALUES // (4 * num_threads()), items[start : start + TASK_FILES]) for start in starts)
        for results in self._in_order(lambda task: [function(item) for item in task], tasks):
            yield from results

    def _in_order(self, run: Callable[[list], list], tasks: Iterable[tuple[int, list]]) -> Iterator[list[Any]]:
        """What ``run`` makes of each task, in order; ``tasks`` come with what they cost of the budget."""
        tasks = iter(tasks)
        for _, task in tasks:
            began = time.perf_counter()
            results = run(task)
            slow = time.perf_counter() - began > QUICK * len(task)
            yield results
            if slow:
                break
        waiting: deque[tuple[int, Future]] = deque()
        in_flight = 0
        with ThreadPoolExecutor(num_threads()) as threads:
            try:
                for cost, task in tasks:
                    while waiting and in_flight + cost > BUDGET_VALUES:
                        freed, done = waiting.popleft()
                        yield done.result()
                        in_flight -= freed
                    waiting.append((cost, threads.submit(run, task)))
                    in_flight += cost
                while waiting:
                    yield waiting.popleft()[1].result()
            finally:  # who reads may stop early, at a bad sample
                threads.shutdown(cancel_futures=True)

    def _run(self, task: list[Sample]) -> list[Any]:
        return [shape if isinstance(shape, DataError) else self._try(row) for row, shape in task]

    def _try(self, row: int) -> Any:
        try:
            return self._decode(row)
        except DataError as error:
            return error


def _tasks(samples: Iterable[Sample], most: int) -> Iterator[tuple[int, list[Sample]]]:
    """The samples in runs of bounded size, with the values that each run decodes to."""
    task: list[Sample] = []
    total = 0
    for sample in samples:
        cost = 0 if isinstance(sample[1], DataError) else int(np.prod(sample[1], dtype=np.int64))
        if task and (total + cost > most or len(task) == TASK_FILES):
            yield total, task
            task, total = [], 0
        task.append(sample)
        total += cost
    if task:
        yield total, task
