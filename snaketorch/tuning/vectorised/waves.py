"""In which groups the trials of a sweep are trained."""

from collections import deque
from collections.abc import Callable, Iterator

from snaketorch.tuning.proposals import Proposals
from snaketorch.tuning.trial import Trial

ROWS = 64
"""Trials at one time, where what is proposed depends on no result."""
ROWS_OF_A_LEARNER = 16
"""Where it does: each wave is proposed from the results of those before."""
DRAWN = frozenset({"random", "grid"})


def rows_at_once(search: str) -> int:
    """How many trials a wave has, by the kind of search."""
    return ROWS if search in DRAWN else ROWS_OF_A_LEARNER


def waves(proposals: Proposals, size: int) -> Iterator[list[Trial]]:
    """The trials that are to be trained, ``size`` numbers at a time, so that an attempt cuts where others would.

    A wave is proposed when the one before is done.
    """
    unfinished = deque(trial.number for trial in proposals.ledger.unfinished)
    while True:
        wave: list[Trial] = []
        end = None
        while end is None or _next_number(unfinished, proposals) < end:
            trial = proposals.next()
            if trial is None:
                break
            if unfinished:
                unfinished.popleft()
            end = end or (trial.number // size + 1) * size
            wave.append(trial)
        if not wave:
            return
        yield wave


def _next_number(unfinished: deque[int], proposals: Proposals) -> int:
    return unfinished[0] if unfinished else max(proposals.ledger.trials, default=-1) + 1


def alike(wave: list[Trial], signature: Callable[[Trial], str]) -> dict[str, list[Trial]]:
    """The trials of a wave by what they must have in common."""
    groups: dict[str, list[Trial]] = {}
    for trial in wave:
        groups.setdefault(signature(trial), []).append(trial)
    return groups
