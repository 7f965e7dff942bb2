"""A claim on a state folder where the file system has no locks between machines.

The holder writes a lease file and renews its time of change. Leases are numbered, and only the newest
counts: who finds it given back, or its holder gone or silent, creates the next number, which the file
system grants to one process alone. No file is ever taken away from under a living holder's feet, so
two successors that arrive together cannot both win.
"""

import json
import logging
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from snaketorch.state.holder import Holder

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 10.0
SILENT_SECONDS = 60.0
"""After so long without a heartbeat, by the file system's clock, a holder counts as gone."""
WATCHED_SECONDS = 15.0
"""A successor watches for so long itself: machines' clocks differ, and a stalled file system stops all heartbeats."""

_KEPT = 16
"""So many past leases stay: a number that was removed could be granted a second time."""

_NAME = "lease-{:06d}.json"
_PATTERN = re.compile(r"lease-(\d{6})\.json")
_GIVEN_BACK = "given back"


def lease_holder(folder: Path) -> Holder | None:
    """Who has the lease of ``folder``, silent or not; None when nobody has, or the holder is known to be gone."""
    numbers = _numbers(folder)
    text = _read(folder / _NAME.format(numbers[-1])) if numbers else None
    return None if text is None or _is_free(text) else Holder.from_json(text)


class Claim:
    """One process's endeavour to get the lease of a folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._clock_offset: float | None = None
        self._last: tuple[int, float] | None = None
        self._last_change = time.monotonic()

    def take(self) -> "Lease | None":
        """The lease, or None while another process has it.

        Raises:
            OSError: when the folder cannot be written.
        """
        numbers = _numbers(self.folder)
        newest = numbers[-1] if numbers else 0
        if newest and not self._may_follow(newest):
            return None
        path = self.folder / _NAME.format(newest + 1)
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return None  # another successor was faster
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(Holder.of_this_process().to_json())
            file.flush()
            os.fsync(file.fileno())
        if _numbers(self.folder)[-1:] > [newest + 1]:
            _write_given_back(path)
            return None
        for number in numbers[:-_KEPT]:
            with suppress(OSError):
                (self.folder / _NAME.format(number)).unlink()
        return Lease(self.folder, newest + 1)

    def _may_follow(self, number: int) -> bool:
        path = self.folder / _NAME.format(number)
        text = _read(path)
        return text is not None and (_is_free(text) or self._is_silent(number, path))

    def _is_silent(self, number: int, path: Path) -> bool:
        try:
            with path.open("rb") as file:  # NFS asks its server when a file is opened, not for every stat
                beat = os.fstat(file.fileno()).st_mtime
        except OSError:
            return False
        now = time.monotonic()
        if (number, beat) != self._last:
            self._last, self._last_change = (number, beat), now
        if self._clock_offset is None:
            self._clock_offset = self._file_system_time() - now
        return now - self._last_change > WATCHED_SECONDS and now + self._clock_offset - beat > SILENT_SECONDS

    def _file_system_time(self) -> float:
        probe = self.folder / f".clock.tmp-{os.getpid()}"  # which the holder may sweep away meanwhile
        try:
            with probe.open("wb") as file:
                return os.fstat(file.fileno()).st_mtime
        finally:
            probe.unlink(missing_ok=True)


class Lease:
    """A lease that this process holds, and renews in a thread until it is given back."""

    def __init__(self, folder: Path, number: int, on_lost: Callable[[], None] | None = None):
        """``on_lost``: called when another process has taken over; by default this process ends at once."""
        self.folder, self.number = folder, number
        self.path = folder / _NAME.format(number)
        self.on_lost = on_lost or self._end
        self._given_back = threading.Event()
        self._missed = 0
        self._thread = threading.Thread(target=self._renew_now_and_then, name="lease", daemon=True)
        self._thread.start()

    def give_back(self) -> None:
        """Lets the next process have the folder; nothing happens when the folder is gone already."""
        self._given_back.set()
        self._thread.join()
        _write_given_back(self.path)

    def _renew_now_and_then(self) -> None:
        while not self._given_back.wait(HEARTBEAT_SECONDS):
            if not self._renew():
                self.on_lost()
                return

    def _renew(self) -> bool:
        """Whether the lease is still held by this process."""
        try:
            if _numbers(self.folder)[-1:] > [self.number]:
                return False
            os.utime(self.path)  # None as time: the server's clock, where there is a server
        except FileNotFoundError:
            if not self.folder.exists():  # this process clears it right before it gives the lease back
                return True
            self._missed += 1
            return self._missed < 2
        except OSError as error:
            log.warning("%s cannot be renewed now (%s)", self.path, error.strerror)
            return True
        self._missed = 0
        return True

    def _end(self) -> None:
        log.error(
            "%s was taken over by %s while this process was silent (suspended, or its file system stalled). "
            "Two trainings in one folder would spoil each other, so this one ends at once",
            self.folder,
            lease_holder(self.folder) or "another process, which has ended since",
        )
        logging.shutdown()
        os.kill(os.getpid(), signal.SIGKILL)


def _numbers(folder: Path) -> list[int]:
    try:
        names = os.listdir(folder)  # noqa: PTH208
    except FileNotFoundError:
        return []
    return sorted(int(found[1]) for name in names if (found := _PATTERN.fullmatch(name)))


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except OSError:
        return None


def _write_given_back(path: Path) -> None:
    with suppress(OSError), path.open("r+", encoding="utf-8") as file:
        file.truncate(0)
        json.dump({_GIVEN_BACK: True}, file)
        file.flush()
        os.fsync(file.fileno())


def _is_free(text: str) -> bool:
    """Whether a lease was given back, or its holder is known to be gone. An empty one is being written."""
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and (_GIVEN_BACK in found or Holder.from_json(text).is_gone)
