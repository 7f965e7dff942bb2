"""What Snakemake says at the end: which jobs failed, why, and what to do; and which healed themselves.

It reads what the jobs noted in the working directory, wherever they ran.
"""

import shutil
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from snaketorch import layout
from snaketorch.failures.jobs import ATTEMPTS, states_of
from snaketorch.failures.kinds import KINDS
from snaketorch.state.attempts import Attempt, Attempts

MOST_LINES = 4  # of an item
WIDEST = 110  # columns
TAIL_BYTES = 20_000  # of a log, in which an error is looked for
BEFORE_IT_BEGAN = "it ended before it began; Snakemake's own message is above"


@dataclass(frozen=True)
class Outcome:
    """How a job of this run ended."""

    step: str
    job: str
    log: str | None
    attempts: list[Attempt]

    @property
    def title(self) -> str:
        return self.step if self.job == "study" else f"{self.step} {self.job.replace('/seed-', ', seed ')}"

    @property
    def failure(self) -> tuple[str, str] | None:
        """Kind and message; None when its last attempt did what it should."""
        last = self.attempts[-1]
        failure = last.failure if last.ended else last.how_it_was_killed(states_of(self.step, self.job))
        return (failure["kind"], failure["message"]) if failure else None

    @property
    def earlier(self) -> list[str]:
        """What happened to the attempts before the last, in a few words each, nothing twice."""
        found = [KINDS[attempt.failure["kind"]].what for attempt in self.attempts[:-1] if attempt.failure]
        return list(dict.fromkeys(found))


def begin_run(workdir: Path) -> None:
    """Forgets the jobs of earlier runs."""
    shutil.rmtree(workdir / ATTEMPTS, ignore_errors=True)


def failures_of_run(workdir: Path, logs: Iterable[str] = ()) -> str:
    """The jobs that failed since ``begin_run``, as text for a terminal.

    Args:
        workdir: The study's folder.
        logs: Log files of the jobs that Snakemake knows to have failed; some may have had no chance to say why.
    """
    outcomes = _outcomes(workdir)
    failed = [outcome for outcome in outcomes if outcome.failure]
    silent = sorted({str(log) for log in logs} - {outcome.log for outcome in failed})
    count = len(failed) + len(silent)
    if not count:
        return "No job failed, or none left word of why; Snakemake's own messages are above.\n"
    width = min(WIDEST, shutil.get_terminal_size((100, 24)).columns)
    lines = ["", f"{count} job{'s' if count > 1 else ''} failed:", ""]
    for alike in _alike(failed):
        lines += _described(alike, width)
    for log in silent:
        lines += [f"  {log}", *_item("what", _last_error(workdir / log) or BEFORE_IT_BEGAN, width), ""]
    if (workdir / layout.REPORT).exists():
        lines += [f"{layout.REPORT} was not made anew: it shows what there was before.", ""]
    return "\n".join(lines + _healed(outcomes)) + "\n"


def healed_in_run(workdir: Path) -> str:
    """The jobs that failed since ``begin_run`` and then succeeded; empty when there are none."""
    return "\n".join(["", *healed, ""]) if (healed := _healed(_outcomes(workdir))) else ""


def _outcomes(workdir: Path) -> list[Outcome]:
    found = []
    for path in sorted((workdir / ATTEMPTS).rglob("*.json")):
        attempts = Attempts.read(path)
        if attempts.all and {"step", "job", "log"} <= attempts.about.keys():
            found.append(Outcome(**attempts.about, attempts=attempts.all))
    return found


def _last_error(log: Path) -> str | None:
    """What a job said last of what went wrong, in its log: it may have had no place for a note."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    found = [line.partition("Error: ")[2] for line in lines if "  Error: " in line]
    return found[-1] if found else None


def _alike(failed: list[Outcome]) -> list[list[Outcome]]:
    """Jobs that failed of the same, together: one mistake may stop twenty seeds."""
    groups: dict[tuple[str, str, str], list[Outcome]] = {}
    for outcome in failed:
        kind, message = outcome.failure
        groups.setdefault((outcome.step, kind, message), []).append(outcome)
    return list(groups.values())


def _described(alike: list[Outcome], width: int) -> list[str]:
    first = alike[0]
    kind, message = first.failure
    about = KINDS.get(kind, KINDS["bug"])
    attempts = len(first.attempts)
    tried = f" ({attempts} attempts)" if attempts > 1 and about.retried else ""
    message = f"{about.what}{tried}: {message.splitlines()[0]}"  # the log has the rest
    lines = [f"  {outcome.title}" for outcome in alike] + _item("what", message, width)
    if about.advice:
        lines += _item("to do", about.advice, width)
    if first.log:
        lines += _item("log", first.log + (", and those of the others" if len(alike) > 1 else ""), width)
    return [*lines, ""]


def _item(name: str, text: str, width: int) -> list[str]:
    """A name and a text beside it, wrapped."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=f"    {name:<7}",
        subsequent_indent=" " * 11,
        max_lines=MOST_LINES,
        placeholder=" ...",
        break_on_hyphens=False,
        break_long_words=False,
    )


def _healed(outcomes: list[Outcome]) -> list[str]:
    healed = [outcome for outcome in outcomes if outcome.failure is None and outcome.earlier]
    if not healed:
        return []
    count = f"{len(healed)} job{'s' if len(healed) > 1 else ''}"
    lines = [f"{count} failed at first and {'were' if len(healed) > 1 else 'was'} done when tried again:"]
    for outcome in healed:
        lines.append(f"  {outcome.title}: {', then '.join(outcome.earlier)}; done at attempt {len(outcome.attempts)}")
    return [*lines, ""]
