"""Batches gathered by a thread while the batch before is trained on.

One thread is enough: gathering and copying release Python's lock.
"""

import queue
import threading
from collections.abc import Iterator
from typing import NamedTuple

import torch

from snaketorch.data.loading.samples import Batch

DEPTH = 2
"""Batches that wait, at most."""


class _Ready(NamedTuple):
    batch: Batch
    copied: torch.cuda.Event | None
    """When the batch is whole; None where it was copied already."""


class _Failed(NamedTuple):
    error: BaseException


def read_ahead(batches: Iterator[Batch], device: torch.device) -> Iterator[Batch]:
    """The same batches on ``device``, gathered by a thread that begins with the first and ends with this iterator.

    An error in the thread is raised here, in the place of the batch that it prevented.
    """
    ready: queue.Queue[_Ready | _Failed | None] = queue.Queue(DEPTH)
    dropped = threading.Event()
    thread = threading.Thread(target=_work, args=(batches, device, ready, dropped), name="read-ahead", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, _Failed):
                raise item.error
            yield _received(item, device)
    finally:
        dropped.set()
        while thread.is_alive():  # it may wait for room for the last time
            try:
                ready.get(timeout=0.01)
            except queue.Empty:
                continue
        thread.join()


def _work(batches: Iterator[Batch], device: torch.device, ready: queue.Queue, dropped: threading.Event) -> None:
    try:
        stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        for batch in batches:
            if dropped.is_set():
                return
            ready.put(_Ready(batch, None) if stream is None else _sent(batch, device, stream))
        ready.put(None)
    except BaseException as error:  # whatever it is, the training must not wait for ever
        ready.put(_Failed(error))


def _sent(batch: Batch, device: torch.device, stream: torch.cuda.Stream) -> _Ready:
    with torch.cuda.stream(stream):
        # torch keeps the pinned copy until the stream is done with it
        moved = {name: value.pin_memory().to(device, non_blocking=True) for name, value in batch.items()}
        copied = torch.cuda.Event()
        copied.record(stream)
    return _Ready(moved, copied)


def _received(item: _Ready, device: torch.device) -> Batch:
    if item.copied is not None:
        current = torch.cuda.current_stream(device)
        current.wait_event(item.copied)
        for value in item.batch.values():
            value.record_stream(current)  # it was allocated on the other stream, which must not reuse it too early
    return item.batch
