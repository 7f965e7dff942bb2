"""What the jobs themselves noted: who is at one, and how the last attempt at it ended."""

import argparse
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snaketorch.failures.jobs import Job
from snaketorch.failures.kinds import KINDS
from snaketorch.failures.notes import read_note
from snaketorch.state.attempts import Attempt, Attempts
from snaketorch.status.outcome import Outcome, State

CUT_OFF = ("interrupted", "killed", "timeout")
"""Kinds of failures that are none: the job goes on when it is started again."""


def job_of(step: str, spec: Mapping[str, Any], code: str, uses: Mapping[str, str] | None = None, **more: str) -> Job:
    """The job that the workflow would run now."""
    named = {} if uses is None else {"uses": [(name, Path(path)) for name, path in uses.items()]}
    return Job.of(argparse.Namespace(step=step, spec=json.dumps(spec), code=code, log=None, **named, **more))


def at_work(job: Job) -> Outcome | None:
    """That someone is at ``job``; None when nobody is known to be."""
    last = Attempts.read(job.attempts).last
    if last is None or last.ended is not None or _is_gone(last, job.step):
        return None
    place = f"process {last.pid} on {last.host}" + (f", batch job {last.job}" if last.job else "")
    return Outcome(State.RUNNING, holder=place)


def ended_badly(job: Job) -> Outcome | None:
    """How the last attempt at ``job`` failed or was cut off; None when it did not, or was at another job.

    Of a job that was killed only the attempt that has no end tells.
    """
    note = read_note(job.note)
    if note and note.digest == job.digest:
        found = {name: getattr(note, name) for name in ("kind", "message", "attempt", "retried", "log")}
        return _outcome(found)
    attempts = Attempts.read(job.attempts)
    if attempts.last and attempts.last.ended is None:
        killed = attempts.last.how_it_was_killed(job.states)
        more = {"attempt": attempts.last.number, "log": attempts.about.get("log")}
        return _outcome({**killed, **more, "retried": KINDS[killed["kind"]].retried})
    return None


def _outcome(failure: dict[str, Any]) -> Outcome:
    state = State.INTERRUPTED if failure["kind"] in CUT_OFF else State.FAILED
    return Outcome(state, failure=failure)


def _is_gone(attempt: Attempt, step: str) -> bool:
    """Whether an attempt is known to have ended without a word; of other machines' processes nothing is known."""
    if attempt.host != socket.gethostname():
        return False
    try:
        return step.encode() not in Path(f"/proc/{attempt.pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return Path("/proc/self").exists()
