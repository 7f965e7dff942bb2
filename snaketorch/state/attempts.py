"""The attempts at a piece of work: when and where each began, and how it ended.

A process that is killed cannot say so. So each attempt is written down as it begins, and of one that did
not write its end the next attempt says what can be known.
"""

import dataclasses
import json
import logging
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from snaketorch.publish import write_text
from snaketorch.state.batch_job import batch_job
from snaketorch.state.memory_of_job import memory_limit_mb, oom_kills
from snaketorch.state.progress import host_memory_mb

log = logging.getLogger(__name__)

FILE = "attempts.json"
NEAR = 0.9  # of the limit: more than that was in use when the progress was last written

Failure = Mapping[str, str]
"""``kind`` and ``message``, see ``snaketorch.failures``."""


@dataclass(frozen=True)
class Attempt:
    """One attempt, by one process."""

    number: int
    """From 1."""
    started: str
    """ISO 8601, in UTC, as all times here."""
    host: str
    pid: int
    job: str | None
    """Number of the batch job."""
    ended: str | None = None
    """None as long as it runs, and when it was killed."""
    failure: Failure | None = None
    memory_limit_mb: float | None = None
    oom_kills: tuple[str, int] | None = None
    """How many processes the system had ended for want of memory when it began, and where that is counted."""

    @classmethod
    def here(cls, number: int) -> Self:
        """An attempt of this process, which begins now."""
        job = batch_job()
        return cls(
            number,
            _now(),
            socket.gethostname(),
            os.getpid(),
            job.number if job else None,
            memory_limit_mb=memory_limit_mb(),
            oom_kills=oom_kills(),
        )

    def how_it_was_killed(self, states: Path) -> Failure:
        """What is known of an attempt that did not write its end.

        Args:
            states: Where its live state is, at or under this folder.
        """
        used_mb = host_memory_mb(states, self.pid, self.host)
        place = f"process {self.pid} on {self.host}" + (f", batch job {self.job}" if self.job else "")
        limit = self.memory_limit_mb
        if limit and used_mb and used_mb >= NEAR * limit:
            used = f"it used {used_mb:.0f} MiB of the {limit:.0f} MiB that it may"
            return {"kind": "host_memory", "message": f"{place} was killed; {used}"}
        if self.host == socket.gethostname() and self._had_an_oom_kill():
            return {"kind": "host_memory", "message": f"{place} was killed, as the system ran out of memory"}
        return {"kind": "killed", "message": f"{place} ended without a word"}

    def _had_an_oom_kill(self) -> bool:
        now = oom_kills()
        return bool(now and self.oom_kills and now[0] == self.oom_kills[0] and now[1] > self.oom_kills[1])


class Attempts:
    """The file of the attempts at one piece of work, held by the process that makes the last one."""

    def __init__(self, path: Path, attempts: list[Attempt], about: Mapping[str, Any]):
        """``about``: what else the file says, such as what the work is."""
        self.path, self.all, self.about = path, attempts, dict(about)

    @classmethod
    def read(cls, path: Path) -> Self:
        """What a file says; nothing where there is none or it cannot be understood."""
        try:
            content = json.loads(path.read_text("utf-8"))
            listed = [_attempt(item) for item in content.pop("attempts")]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(path, [], {})
        content.pop("started", None)
        return cls(path, listed, content)

    @property
    def last(self) -> Attempt | None:
        return self.all[-1] if self.all else None

    @property
    def failures(self) -> list[dict[str, Any]]:
        """How the attempts before this one failed."""
        return [
            {"attempt": attempt.number, **attempt.failure, "time": attempt.ended or attempt.started}
            for attempt in self.all[:-1]
            if attempt.failure
        ]

    def begin(self, number: int, states: Path) -> None:
        """Adds an attempt of this process; one before it that did not write its end was killed.

        ``states``: as in ``Attempt.how_it_was_killed``.
        """
        if self.last and self.last.ended is None:
            self._replace_last(failure=self.last.how_it_was_killed(states))
        self.all.append(Attempt.here(number))
        self._save()

    def end(self, failure: Failure | None) -> None:
        """Says how the last attempt ended; ``failure`` is None when it did what it should.

        Raises nothing: there is another error to tell.
        """
        self._replace_last(ended=_now(), failure=failure)
        try:
            self._save()
        except OSError as error:
            log.warning("%s could not be written: %s", self.path, error.strerror)
            with suppress(OSError), self.path.open("r+", encoding="utf-8") as file:
                # a full disk still takes what fits into the block that the file has
                file.write(self._text())
                file.truncate()

    def record(self) -> dict[str, Any]:
        """What a training's record says: how many attempts, since when, and how the earlier ones failed."""
        return {"attempts": len(self.all), "started": self.all[0].started, "failures": self.failures}

    def _replace_last(self, **changes: Any) -> None:
        self.all[-1] = dataclasses.replace(self.all[-1], **changes)

    def _save(self) -> None:
        write_text(self.path, self._text())

    def _text(self) -> str:
        attempts = [dataclasses.asdict(attempt) for attempt in self.all]
        return json.dumps({**self.about, "started": self.all[0].started, "attempts": attempts}, indent=2) + "\n"


def begin(folder: Path) -> Attempts:
    """Begins the next attempt at the training whose state is in ``folder``, which this process holds."""
    attempts = Attempts.read(folder / FILE)
    attempts.begin(attempts.last.number + 1 if attempts.last else 1, folder)
    return attempts


def _attempt(item: dict[str, Any]) -> Attempt:
    counted = item.get("oom_kills")
    return Attempt(**item | {"oom_kills": tuple(counted) if counted else None})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
