"""Trainings that are done: their state waits until the workflow has taken note of that.

A workflow that is killed between a job's end and its own note of it, which on a cluster takes a minute, deletes the
job's outputs and runs it again. With its last checkpoint still there the training has only to be published again.
"""

import logging
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from snaketorch.errors import InUse
from snaketorch.state.folder import clear
from snaketorch.state.lock import sole_writer

log = logging.getLogger(__name__)

MARK = "published"


def mark_published(folder: Path) -> None:
    """Says of a training's state that its outputs are there."""
    try:
        (folder / MARK).touch()
    except OSError as error:  # it is done all the same
        log.warning("%s is left behind: %s", folder, error.strerror)


def clear_published(root: Path, counts: Callable[[Path], bool] = lambda place: True) -> None:
    """Removes the state of the published trainings under ``root``; only for who knows that the workflow noted them.

    One that is in use, for it is published again, stays.

    Args:
        root: The folder of all states.
        counts: Whether the training whose states are in a folder is noted as done. One whose job was killed in its last
            moment is published and failed: the workflow has deleted its outputs.
    """
    for mark in sorted(root.rglob(MARK)):
        folder, place = mark.parent, mark.parent.parent
        if not mark.is_file() or not counts(place):  # a folder is that of an experiment of this name
            continue
        with suppress(InUse, OSError), sole_writer(place, 0.0), sole_writer(folder, 0.0):
            clear(folder)
            if not any(path.is_dir() for path in place.iterdir()):  # only the lock is left, which waiters see vanish
                shutil.rmtree(place)
