"""One attempt at a job, as the command line makes it: noted when it begins, and how it ended."""

import logging
from datetime import datetime

from snaketorch.failures.classify import Failure
from snaketorch.failures.jobs import Job
from snaketorch.failures.kept_log import begin_log
from snaketorch.failures.kinds import KINDS
from snaketorch.failures.notes import Note, forget, read_note
from snaketorch.state.attempts import Attempt, Attempts

log = logging.getLogger(__name__)


class JobAttempt:
    """An attempt that has begun."""

    def __init__(self, job: Job, number: int):
        self.job, self.number = job, number
        begin_log(job, number)
        earlier = Attempts.read(job.attempts).all if number > 1 else []
        self.attempts = Attempts(job.attempts, earlier, {"step": job.step, "job": job.name, "log": job.log})
        try:
            self.attempts.begin(number, job.states)
        except OSError as error:  # the step itself will say so where it matters
            log.warning("%s could not be written: %s", job.attempts, error.strerror)
        if number > 1:
            log.info("%s", _header(number, self.attempts.all))
        self.hopeless = self._hopeless()

    def _hopeless(self) -> Note | None:
        """The note of the attempt before, when this one would meet the same again."""
        note = read_note(self.job.note)
        if self.number == 1 or note is None:
            forget(self.job)
            return None
        is_of_the_last = note.attempt == self.number - 1
        return note if is_of_the_last and not note.retried and note.digest == self.job.digest else None

    def give_up(self) -> None:
        """Ends it at once: it is not worth it."""
        note = self.hopeless
        said = note.message.splitlines()[0]
        log.error("Not tried again, since it would end the same way (%s): %s", KINDS[note.kind].what, said)
        self.fail(Failure(note.kind, note.message, {"where": note.where, "traceback": note.traceback}))

    def succeed(self) -> None:
        self.attempts.end(None)
        forget(self.job)

    def fail(self, failure: Failure) -> None:
        """Notes why it failed, as well as that goes: the disk may be full."""
        self.attempts.end(failure.in_short())
        try:
            Note.of(self.job, failure, self.number).save(self.job)
        except OSError as error:
            log.warning("%s could not be written: %s", self.job.note, error.strerror)


def _header(number: int, attempts: list[Attempt]) -> str:
    """A line that parts the log of an attempt from that of the one before."""
    this, before = attempts[-1], attempts[-2:-1]
    place = this.host + (f", batch job {this.job}" if this.job else "")
    when = datetime.fromisoformat(this.started).astimezone().strftime("%Y-%m-%d %H:%M")
    failure = before[0].failure if before else None
    why = f" The one before: {KINDS[failure['kind']].what}." if failure and failure["kind"] in KINDS else ""
    return f"===== Attempt {number}, on {place}, {when}.{why} ====="
