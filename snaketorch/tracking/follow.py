"""The uploader's loop: keeps MLflow up to date with a journal for as long as its job runs."""

import ctypes
import logging
import os
import select
import signal
import stat
import sys
import time
from pathlib import Path
from typing import Self

from snaketorch.tracking.address import shown
from snaketorch.tracking.report import Report
from snaketorch.tracking.sidecar import sync_wait

log = logging.getLogger(__name__)

FIRST_WAIT = 10.0
"""Seconds before MLflow is imported: a short job is over by then and is uploaded once."""
INTERVAL = 5.0
_LONGEST_WAIT = 300.0
_PR_SET_PDEATHSIG = 1


def follow(folder: Path, pid: int, uri: str, study: str) -> Report:
    """Uploads the journals in and under ``folder`` until the job ``pid`` ends or says that it has finished.

    The job says so by a word on standard input. The report is that of the last upload, which has no
    longer than ``SNAKETORCH_SYNC_WAIT`` seconds where the job has died; an upload that fails is tried
    again later, less and less often.
    """
    with _Job(pid) as job:
        delay, failing = FIRST_WAIT, False
        uploads = _Uploads(folder, uri, study)
        while not job.has_finished(delay):
            problems = uploads.send_new()
            if problems and not failing:
                log.warning("cannot upload to %s: %s; trying again", shown(uri), "; ".join(problems))
            elif failing and not problems:
                log.info("uploads to %s work again", shown(uri))
            failing = bool(problems)
            delay = min(2 * delay, _LONGEST_WAIT) if failing else INTERVAL
        return uploads.send_last()


class _Uploads:
    """The journal in a folder, and those of its children in folders below."""

    def __init__(self, folder: Path, uri: str, study: str):
        self.folder, self.uri, self.study = folder, uri, study
        self.seen: dict[Path, list[tuple[int, int] | None]] = {}

    def send_new(self) -> list[str]:
        """Sends the journals that have changed; what went wrong with the first that could not be sent."""
        for folder in self._folders():
            if (state := _state(folder)) != self.seen.get(folder):
                report = _sync(folder, self.uri, self.study)
                if report.failed:
                    return report.problems
                self.seen[folder] = state
        return []

    def send_last(self) -> Report:
        """Sends the rest; the report of the folder's own journal, which comes last and has all problems."""
        problems: list[str] = []
        *children, own = self._folders()
        for folder in children:
            if _state(folder) != self.seen.get(folder):
                problems += self._send(folder).problems
        report = self._send(own)
        report.problems = [*problems, *report.problems]
        return report

    def _send(self, folder: Path) -> Report:
        report = _sync(folder, self.uri, self.study)
        log.info("%s", report)
        for problem in report.problems:
            log.warning("not sent: %s", problem)
        return report

    def _folders(self) -> list[Path]:
        return [*sorted(path.parent for path in self.folder.glob("*/*/run.json")), self.folder]


class _Job:
    """The process whose journal is uploaded."""

    def __init__(self, pid: int):
        self.pid = pid
        self.is_parent = os.getppid() == pid
        self.terminated = False
        # only a pipe comes from a job; a terminal or /dev/null says nothing
        self.pipe = [0] if sys.stdin is not None and stat.S_ISFIFO(os.fstat(0).st_mode) else []

    def __enter__(self) -> Self:
        self.previous = signal.signal(signal.SIGTERM, self._terminate)
        if self.is_parent and sys.platform == "linux":
            # SIGTERM when the job dies; one that died before this line is seen by `_alive`
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        return self

    def __exit__(self, *_: object) -> None:
        signal.alarm(0)
        signal.signal(signal.SIGTERM, self.previous)

    def has_finished(self, seconds: float) -> bool:
        """Waits up to ``seconds``; True as soon as there is nothing more to come."""
        end = time.monotonic() + seconds
        while not self.terminated and self._alive():
            left = end - time.monotonic()
            if left <= 0:
                return False
            ready, _, _ = select.select(self.pipe, [], [], min(left, 0.5))
            if ready and os.read(0, 64):
                return True  # the job waits for the last upload, and ends it when it takes too long
            if ready:
                break  # closed by the job's death
        _end_soon()
        return True

    def _alive(self) -> bool:
        if self.is_parent:
            return os.getppid() == self.pid
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True

    def _terminate(self, *_: object) -> None:
        self.terminated = True
        _end_soon()


def _end_soon() -> None:
    """Nobody waits any more: there is time for a last upload, but this process must not stay behind."""
    signal.alarm(max(1, round(sync_wait())))


def _sync(folder: Path, uri: str, study: str) -> Report:
    from snaketorch.tracking.sync import sync_journal  # imports mlflow

    return sync_journal(folder, uri, study)


def _state(folder: Path) -> list[tuple[int, int] | None]:
    """Differs when there is something new to send."""
    state = []
    for name in ("run.json", "metrics.jsonl", "artifacts.json"):
        try:
            found = (folder / name).stat()
            state.append((found.st_mtime_ns, found.st_size))
        except OSError:
            state.append(None)
    return state
