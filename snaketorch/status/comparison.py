"""Whether a result is what would be made now."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from snaketorch.errors import UserError
from snaketorch.freshness import Outdated, read_json
from snaketorch.status.outcome import Outcome, State

Check = Callable[[Mapping[str, Any]], Iterable[Outdated]]
"""Gives what is out of date about the content of a result."""


def compared(path: Path, check: Check, behind: Iterable[str] = (), missing: Iterable[str] = ()) -> Outcome:
    """Done or stale, by the result file at ``path``.

    Args:
        path: A record, metrics or a summary.
        check: See ``snaketorch.freshness``.
        behind: Reasons that lie in what it is made from.
        missing: Files that should be there with it and are not.
    """
    try:
        found = [reason for problem in check(read_json(path)[0]) for reason in _reasons(problem)]
    except UserError as error:
        found = [str(error).partition(";")[0]]
    except (OSError, KeyError, TypeError, AttributeError):
        found = [f"{path.name} is of another version, or damaged"]
    why = (*found, *behind, *(text for text in missing if text not in found))
    return Outcome(State.STALE if why else State.DONE, why)


def _reasons(problem: Outdated) -> tuple[str, ...]:
    return problem.keys or (f"{problem.path.name} {problem.why}",)
