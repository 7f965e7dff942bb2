"""Notes of failures: one file for each job whose last attempt failed."""

import dataclasses
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from snaketorch.failures.classify import Failure
from snaketorch.failures.jobs import ATTEMPTS, NOTES, Job
from snaketorch.failures.kinds import KINDS, Kind
from snaketorch.publish import write_json


@dataclass(frozen=True)
class Note:
    """Why an attempt at a job failed."""

    step: str
    job: str
    kind: str
    message: str
    retried: bool
    """Whether another attempt may end better."""
    attempt: int
    time: str
    """ISO 8601, in UTC."""
    log: str | None
    digest: str
    """Of the job's spec and code."""
    where: str | None
    """The line that it comes from, in code that someone here can mend."""
    traceback: str

    @classmethod
    def of(cls, job: Job, failure: Failure, attempt: int) -> Self:
        return cls(
            step=job.step,
            job=job.name,
            kind=failure.kind,
            message=failure.message,
            retried=failure.about.retried,
            attempt=attempt,
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            log=job.log,
            digest=job.digest,
            where=failure.details.get("where"),
            traceback=failure.details.get("traceback", ""),
        )

    @property
    def about(self) -> Kind:
        return KINDS[self.kind]

    def save(self, job: Job) -> None:
        write_json(job.note, dataclasses.asdict(self))


def read_note(path: Path) -> Note | None:
    """The note in a file; None where there is none that can be understood."""
    try:
        content = json.loads(path.read_text("utf-8"))
        note = Note(**{field.name: content[field.name] for field in dataclasses.fields(Note)})
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return note if note.kind in KINDS else None


def forget_job(step: str, name: str) -> None:
    """Removes what is noted of a job: why it failed, and its attempts."""
    for folder in (NOTES, ATTEMPTS):
        (folder / step / f"{name}.json").unlink(missing_ok=True)


def forget(job: Job) -> None:
    """Removes the note of a job, where that is possible."""
    with suppress(OSError):
        job.note.unlink()
