"""Moving aliases, so that a kill or another who moves them at the same moment leaves nothing half done.

MLflow sets one alias at a time and knows no condition. In one folder moves take turns by a lock, as do those of all
folders that share a local store. On a server two people may promote at once: each notes what is meant at the version
first, and looks again afterwards, so that the one whose champion stands finds the other's move and lets
`previous_champion` be that one's version.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from snaketorch.registry.aliases import CANDIDATE, CHAMPION, PREVIOUS, ROLLED_BACK, Model, Told
from snaketorch.registry.audit import Aliases, Audit, Entry, new_id, now, who
from snaketorch.tracking.address import sqlite_file
from snaketorch.tracking.locks import locked

log = logging.getLogger(__name__)

Steps = Sequence[tuple[str, str | None]]
"""Aliases in the order in which they are moved, each with its version."""
RETRIES = 5
LONGEST = timedelta(hours=1)
"""Of a move, with clocks that differ."""


@dataclass(frozen=True)
class Moved:
    """What came of a move."""

    aliases: Aliases
    entry: Entry | None
    """Its last line in the audit; None where there was nothing to do."""


@dataclass(frozen=True)
class Seen:
    """How a model stood when it was decided what to do."""

    ended: frozenset[str]
    """Moves that were over by then, by their ids: looked at before the aliases, which so have all of them."""
    aliases: Aliases

    @classmethod
    def of(cls, model: Model) -> Self:
        """Looks."""
        ended = frozenset(key for key, told in model.moves().items() if _is_over(told))
        return cls(ended, model.aliases)


@contextmanager
def turn(audit: Audit, registry: str) -> Iterator[None]:
    """Waits for other moves of this folder, and of others with the same local store."""
    with ExitStack() as stack:
        stack.enter_context(audit.turn())
        if file := sqlite_file(registry):
            stack.enter_context(locked(file.with_name(f".{file.name}.registry.lock")))
        yield


def move(model: Model, audit: Audit, seen: Seen, action: str, version: str, steps: Steps, reason: str) -> Moved:
    """Moves aliases. Call it with the turn, after ``heal``.

    Args:
        model: Whose.
        audit: Is told before and after.
        seen: How it stood when ``steps`` were chosen.
        action: For the audit.
        version: That it is about.
        steps: What to do, in this order.
        reason: Why, in the user's words.
    """
    run = model.version(version).tags.get("snaketorch.run_key")
    about = (action, model.name, version, reason, model.registry, run)
    entry = Entry(new_id(), "begun", now(), who(), *about, seen.aliases, seen.aliases | dict(steps))
    audit.add(entry)
    model.note(entry)
    for alias, target in steps:
        model.set(alias, target)
    found = _settled(model, entry, seen.ended) if CHAMPION in dict(steps) else model.aliases
    decisive = _decisive(entry)
    state = "done" if found[decisive] == entry.after[decisive] else "overtaken"
    return Moved(found, _end(model, audit, entry.then(state, found)))


def heal(model: Model, audit: Audit) -> list[Entry]:
    """Ends what a killed command has begun. Call it with the turn.

    Where the alias that matters was moved, the rest of the move is made up for; where it was not, nothing of it stays.
    """
    healed = []
    if not model.exists:  # it was deleted, and what was begun with it
        for entry in audit.unfinished(model.registry, model.name):
            healed.append(entry.then("undone", model.aliases, healed=True))
            audit.add(healed[-1])
    for entry in audit.unfinished(model.registry, model.name):
        aliases, decisive = model.aliases, _decisive(entry)
        is_moved = aliases[decisive] == entry.after[decisive]
        untouched = aliases[decisive] == entry.before[decisive]
        state = "done" if is_moved else "undone" if untouched else "overtaken"
        wanted = {"done": entry.after, "undone": entry.before, "overtaken": aliases}[state]
        for alias in entry.after:
            # an alias that another has moved since is left where it is
            if aliases[alias] != wanted[alias] and aliases[alias] in (entry.before[alias], entry.after[alias]):
                model.set(alias, wanted[alias])
        if state == "done":
            _mark(model, entry)
        log.warning("A command was cut short (%s of %s version %s): %s", entry.action, model.name, entry.version, state)
        healed.append(_end(model, audit, entry.then(state, model.aliases, healed=True)))
    return healed


def _settled(model: Model, entry: Entry, ended: Collection[str]) -> Aliases:
    """The aliases after a move of the champion, with what another did meanwhile put in order."""
    ours = entry.after[CHAMPION]
    _mark(model, entry)
    for _ in range(RETRIES):
        others = [told for key, told in model.moves().items() if key not in ended and told.champion not in (None, ours)]
        aliases = model.aliases
        if aliases[CHAMPION] != ours:
            # the other's move stands, and is the other's to put in order; but what we put in order may have been late
            if aliases[PREVIOUS] == aliases[CHAMPION]:
                model.set(PREVIOUS, ours)
            break
        previous = max(others, key=lambda told: told.time).champion if others else entry.after[PREVIOUS]
        if aliases[PREVIOUS] == previous:
            break
        model.set(PREVIOUS, previous)
    return model.aliases


def _is_over(told: Told) -> bool:
    """Whether a move has ended, or its command was surely killed: it is not made at this moment."""
    return not told.is_begun or datetime.now(UTC) - told.time > LONGEST


def _mark(model: Model, entry: Entry) -> None:
    """A version from which one has gone back says so, until it is promoted again."""
    if entry.action == "rollback":
        model.tag(entry.version, ROLLED_BACK, entry.id)
    elif entry.action == "promote":
        model.tag(entry.version, ROLLED_BACK, None)


def _end(model: Model, audit: Audit, entry: Entry) -> Entry:
    audit.add(entry)
    model.note(entry)
    return entry


def _decisive(entry: Entry) -> str:
    """The alias that makes the move what it is."""
    if entry.before[CHAMPION] != entry.after[CHAMPION]:
        return CHAMPION
    return CANDIDATE if entry.before[CANDIDATE] != entry.after[CANDIDATE] else PREVIOUS
