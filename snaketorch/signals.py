"""What a job does when it is told to end, by Ctrl-C, a batch system or a person; or to save.

SIGTERM, SIGINT and SIGHUP ask it to end. A job with nothing to save ends at once; a training notes what
it was asked and does it where its state can be saved. A second request ends either on the spot. SIGUSR1
asks a training to save and go on. Signals that this process was started to ignore (``nohup``) stay so.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import ClassVar, Self

from snaketorch.errors import Interrupted

TRY_AGAIN = 75
"""Exit code of a job that is not done though nothing is wrong: EX_TEMPFAIL of sysexits.h."""

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
ECHO_SECONDS = 1.0
"""One request may come as several signals, from the terminal, a batch system and a workflow. Each is met when the
code that runs comes back to Python, which may take long: so a second signal of another kind is no second request."""


class Ended(BaseException):
    """The job was told to end where it has nothing to save. No ``Exception``, which libraries swallow."""

    kind: ClassVar[str] = "interrupted"


class _Handlers:
    """Handlers of signals that give way to those before them at the end. Other threads than the main one have none."""

    def __init__(self) -> None:
        self.ended_by: str | None = None
        """Name of the first signal that asked to end."""
        self.ended_at = 0.0
        self._came: set[int] = set()
        self._previous: dict[int, object] = {}
        self._is_over = False

    def install(self) -> None:
        """Takes the signals, again if need be: Lightning puts a handler of its own in front.

        Outside a ``with`` block nothing happens: nobody would give them back.
        """
        if threading.current_thread() is not threading.main_thread() or not self._previous:
            return
        for number, handler in [*((number, self._end) for number in ENDING), (signal.SIGUSR1, self._save)]:
            if self._previous[number] is not signal.SIG_IGN:
                signal.signal(number, handler)

    def __enter__(self) -> Self:
        self._previous = {number: signal.getsignal(number) for number in (*ENDING, signal.SIGUSR1)}
        return self

    def all_is_done(self) -> None:
        """Lets no signal end this process any more, to its last moment.

        What a job has made counts only if the job ends well, and the end of a process may take seconds.
        """
        self._is_over = True
        for number in (*ENDING, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)

    def __exit__(self, *_: object) -> None:
        if self._is_over:
            return
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._previous.items():
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    def _end(self, number: int, _: FrameType | None) -> None:
        name, now = signal.Signals(number).name, time.monotonic()
        if self.ended_by is None:
            self.ended_by, self.ended_at = name, now
            self.told_to_end(name)
        elif number in self._came and now - self.ended_at > ECHO_SECONDS:
            say(f"{name} again: ending on the spot")
            os._exit(TRY_AGAIN)
        self._came.add(number)

    def _save(self, number: int, _: FrameType | None) -> None:
        self.told_to_save(signal.Signals(number).name)

    def told_to_end(self, name: str) -> None:
        raise NotImplementedError

    def told_to_save(self, name: str) -> None:
        raise NotImplementedError


class _EndAtOnce(_Handlers):
    def told_to_end(self, name: str) -> None:
        raise Ended(f"told to end by {name}")

    def told_to_save(self, name: str) -> None:
        say(f"{name}: there is nothing to save now")


@contextmanager
def ending_at_once() -> Iterator[_Handlers]:
    """Lets signals end the block by ``Ended``, whatever the code that they interrupt makes of it."""
    with _EndAtOnce() as handlers:
        handlers.install()
        try:
            yield handlers
        except BaseException as error:
            if handlers.ended_by is None or getattr(error, "kind", None) == Ended.kind:
                raise
            raise Ended(f"told to end by {handlers.ended_by}") from error


class Noted(_Handlers):
    """Signals that are noted and obeyed later, once ``install`` was called."""

    def __init__(self) -> None:
        super().__init__()
        self.save_asked = False

    def told_to_end(self, name: str) -> None:
        say(f"{name}: saving, then ending (once more: ending on the spot)")

    def told_to_save(self, name: str) -> None:
        self.save_asked = True

    def check(self) -> None:
        """Ends a training that has nothing left to save.

        Raises:
            Interrupted: when it was told to end.
        """
        if self.ended_by:
            raise Interrupted(f"told to end by {self.ended_by}; the training is done and saved, but not published yet")


def is_told_to_end() -> bool:
    """Whether a noted signal has asked this process to end."""
    return are_noted() and signal.getsignal(signal.SIGTERM).__self__.ended_by is not None


def are_noted() -> bool:
    """Whether a signal would now be noted: something may have to be saved."""
    return isinstance(getattr(signal.getsignal(signal.SIGTERM), "__self__", None), Noted)


def say(text: str) -> None:
    """A line in the log from inside a handler, where a stream may be in the middle of another one."""
    with suppress(OSError):  # the terminal is gone that sent SIGHUP, or the disk is full: what was asked for counts
        os.write(2, f"{time.strftime('%H:%M:%S')}  {text}\n".encode())
