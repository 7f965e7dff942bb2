"""The state of a study as text for a terminal, 80 to 120 columns wide."""

import math
import textwrap
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from snaketorch.state.progress import Progress
from snaketorch.state.sweep_progress import SweepProgress
from snaketorch.status.outcome import Outcome, State
from snaketorch.status.study import Experiment, Seed, StudyStatus

NARROWEST, WIDEST = 80, 120
MOST_LINES = 3
"""Of one message."""
SEPARATOR = "; "
"""Between reasons."""
BAR = 16
"""Letters of a progress bar."""
STATES = 13
"""Columns for the state."""

COLOURS = {
    State.DONE: "32",
    State.RUNNING: "36",
    State.WAITING: "2",
    State.INTERRUPTED: "33",
    State.STALE: "33",
    State.FAILED: "31",
}
"""By state, as terminals number them."""


class Table:
    """Writes lines of three columns: what, its state, and what there is to say."""

    def __init__(self, width: int, colours: bool):
        self.width = max(NARROWEST, min(WIDEST, width))
        self.colours = colours

    def text(self, study: StudyStatus) -> str:
        """The whole table."""
        names = [*study.datasets, "summary", *(f"seed {seed.seed}" for x in study.experiments for seed in x.seeds)]
        self.names = min(max(map(len, names)), 32)
        return "\n".join([*self._parts(study), *self._totals(study)])

    def _parts(self, study: StudyStatus) -> Iterator[str]:
        yield self._bold("datasets")
        for name, outcome in study.datasets.items():
            yield from self._lines(name, outcome.state, _said(outcome))
        for experiment in study.experiments:
            yield ""
            yield self._bold(experiment.name) + ("" if experiment.summary else "  (its model is needed by others)")
            yield from self._experiment(experiment)
        if study.page:
            yield ""
            yield self._bold("results/report.html")
            yield from self._lines("study page", study.page.state, _said(study.page))
        yield ""

    def _experiment(self, experiment: Experiment) -> Iterator[str]:
        if experiment.sweep:
            yield from self._lines("sweep", experiment.sweep.state, _said(experiment.sweep))
        for seed in experiment.seeds:
            yield from self._lines(f"seed {seed.seed}", seed.state, _of_seed(seed))
        if experiment.summary:
            yield from self._lines("summary", experiment.summary.state, _said(experiment.summary))

    def _totals(self, study: StudyStatus) -> Iterator[str]:
        counts = study.counts
        some = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
        total = counts.total()
        yield from self._wrapped("total: ", f"{total} training{'' if total == 1 else 's'}: {some}")
        for number, advice in enumerate(what_next(study)):
            yield from self._wrapped("       " if number else "next:  ", advice)

    def _lines(self, name: str, state: State, said: Iterable[str]) -> Iterator[str]:
        head, pause = f"  {name:<{self.names}}  ", " " * (STATES - len(state))
        room = max(self.width - len(head) - STATES, NARROWEST // 4)
        first, *others = [line for text in said for line in _fitted(text, room)] or [""]
        yield head + self._coloured(state, state) + (pause + first).rstrip()
        yield from (" " * (len(head) + STATES) + other for other in others)

    def _wrapped(self, head: str, text: str) -> Iterator[str]:
        lines = textwrap.wrap(text, self.width - len(head), break_on_hyphens=False)
        yield from (head + lines[0], *(" " * len(head) + line for line in lines[1:]))

    def _bold(self, text: str) -> str:
        return f"\033[1m{text}\033[0m" if self.colours else text

    def _coloured(self, state: State, text: str) -> str:
        return f"\033[{COLOURS[state]}m{text}\033[0m" if self.colours else text


def what_next(study: StudyStatus) -> list[str]:
    """What a person may do now."""
    states = {outcome.state for outcome in study.outcomes}
    advice = []
    if State.FAILED in states:
        logs = [outcome.failure["log"] for outcome in study.outcomes if outcome.state is State.FAILED]
        read = f" ({', '.join(logs[:2])}{', ...' if len(logs) > 2 else ''})" if all(logs) else ""
        advice.append(f"mend what failed, as its message or its log says{read}; then `snakemake`")
    if State.STALE in states:
        stale = [x.name for x in study.experiments if any(seed.state is State.STALE for seed in x.seeds)]
        advice.append(
            f"`python -m snaketorch explain {stale[0] if stale else 'EXPERIMENT'}` says what would run and why"
        )
    if State.RUNNING in states:
        advice.append("wait; ask again for progress")
    elif states - {State.DONE, State.FAILED}:
        advice.append("`snakemake` runs what is not done; what was interrupted goes on where it was")
    return advice or ["nothing: all results are up to date"]


def _of_seed(seed: Seed) -> list[str]:
    if seed.training.state is State.RUNNING and not seed.training.progress:
        return [f"begins, {seed.training.holder}"]
    if not seed.training.is_done:
        return _said(seed.training)
    if seed.test is None:
        return ["trained"]
    if seed.test.is_done:
        name, value = seed.result or ("", None)
        return [f"{name} {_number(value)}"]
    first, *others = _said(seed.test) or ["not yet"]
    return [f"trained, the test: {first}", *others]


def _said(outcome: Outcome) -> list[str]:
    """What there is to say of a job, a line each."""
    lines = []
    if outcome.progress:
        lines.append(_progress(outcome.progress))
    if outcome.trials:
        left = _left(outcome.trials) if outcome.state is State.RUNNING else None
        lines.append(f"{outcome.trials}{f', {left} left' if left else ''}")
    if outcome.holder:
        lines.append(outcome.holder)
    if failure := outcome.failure:
        lines.append(f"{failure['kind']}, attempt {failure['attempt']}: {failure['message'].splitlines()[0]}")
        lines.extend([failure["log"]] if failure["log"] else [])
    return [*lines, *([SEPARATOR.join(outcome.why)] if outcome.why else [])]


def _fitted(text: str, room: int) -> list[str]:
    """``text`` in lines; of reasons that do not fit into one only their number is said."""
    reasons = text.split(SEPARATOR)
    for kept in range(len(reasons), 0, -1):
        left = len(reasons) - kept
        short = SEPARATOR.join([*reasons[:kept], *([f"{left} more"] if left else [])])
        if len(short) <= room:
            return [short]
    return textwrap.wrap(text, room, max_lines=MOST_LINES, placeholder=" ...", break_on_hyphens=False)


def _progress(progress: Progress) -> str:
    done = round(progress.share * BAR)
    bar = "#" * done + "." * (BAR - done)
    epoch = min(progress.epoch + 1, progress.max_epochs)
    left = _left(progress)
    return f"{bar} {progress.share:4.0%}  epoch {epoch}/{progress.max_epochs}{f'  {left} left' if left else ''}"


def _left(progress: Progress | SweepProgress) -> str | None:
    """As it was estimated, less the time since."""
    if progress.seconds_left is None:
        return None
    age = (datetime.now(UTC) - datetime.fromisoformat(progress.time)).total_seconds()
    seconds = max(0.0, progress.seconds_left - max(0.0, age))
    if seconds < 120:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 7200 else f"about {seconds / 3600:.1f} h"


def _number(value: float | None) -> str:
    return "undefined" if value is None or not math.isfinite(value) else f"{value:.4g}"
