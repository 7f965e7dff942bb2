"""Kills while a checkpoint is being written: what was there before, or the new one, is always whole."""

import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkpoint_files import leftovers, written
from end_of_training import unequal
from figures import count, prove
from reliability_trainings import training
from training_process import Attempt, Trial

KILLS = count(small=6, full=100)
OTHER_DISK = Path("/dev/shm")

LARGE = {
    "model": {"channels": [8, 16], "hidden": 3000},
    "augment": {"horizontal_flip": 0.0, "translate": 0.0},
    "trainer": {"max_epochs": count(small=3, full=20)},
}
"""Checkpoints of some megabytes, so that a save takes long enough to be killed in."""


@pytest.fixture
def other_disk(tmp_path) -> Iterator[Path | None]:
    """A folder on another file system than the state's, for ``TMPDIR``; None where there is none."""
    if not OTHER_DISK.is_dir() or not os.access(OTHER_DISK, os.W_OK) or _device(OTHER_DISK) == _device(tmp_path):
        yield None
        return
    with tempfile.TemporaryDirectory(dir=OTHER_DISK) as folder:
        yield Path(folder)


def test_kills_in_saves_leave_whole_checkpoints_and_nothing_else(new_trial, straight, other_disk):
    large, draw = training("CNN", **LARGE), random.Random(0)
    expected, _, _ = straight(large, save_every=1)
    wrong, killed, elsewhere, missed, unlisted = [], 0, 0, 0, []
    save_seconds, trial = 0.02, None
    while killed < KILLS:
        if trial is None:
            trial, safe, unlisted = new_trial(large, save_every=1), 0, []
        other = other_disk if killed % 2 else None
        trial.environment = {"TMPDIR": str(other)} if other else {}
        attempt = trial.attempt(kill_in_save=(draw.randint(1, 3), draw.uniform(0, save_seconds)))
        if not attempt.killed:
            wrong += unequal(trial, attempt, expected, f"kill {killed}, then undisturbed")
            trial = None
            continue
        save_seconds = max(1e-6 * attempt.save_microseconds, 0.002)
        inside = attempt.phase == "in a save"
        killed, elsewhere, missed = killed + inside, elsewhere + bool(inside and other), missed + (not inside)
        wrong += _wrong_after_a_kill(trial, attempt, {safe, *unlisted}, f"kill {killed}, {attempt.phase}")
        for checkpoint in written(trial.state):
            safe, size = checkpoint.batches, checkpoint.path.stat().st_size
        unlisted = [] if safe else [int(path.stem.partition("-")[2]) for path in trial.state.glob("step-*.ckpt")]
    if trial is not None:
        wrong += unequal(trial, trial.attempt(), expected, "after the last kill")
    if other_disk is not None and any(other_disk.iterdir()):
        wrong.append(f"left in TMPDIR: {', '.join(path.name for path in other_disk.iterdir())}")
    prove(
        3,
        "kills during saves: checkpoints unreadable, saved ones not found, files left after the next start",
        "0",
        str(len(wrong)),
        wrong,
        f"{killed} kills in a save of {size / 1e6:.1f} MB, {elsewhere} of them with TMPDIR on another disk; "
        f"{missed} more just after one",
    )


def _wrong_after_a_kill(trial: Trial, attempt: Attempt, safe: set[int], story: str) -> Iterator[str]:
    """``safe``: batches of the newest checkpoint in the list before the attempt, and of the first, before there is a
    list: it has its name when it is whole."""
    if attempt.began_at not in {*safe, -1}:
        yield f"{story}: the attempt began after batch {attempt.began_at}, and the newest checkpoint was of {safe}"
    found = written(trial.state)
    for checkpoint in found:
        if checkpoint.flaw:
            yield f"{story}: {checkpoint.path.name}: {checkpoint.flaw}"
    newest = max((checkpoint.batches for checkpoint in found), default=0)
    if newest < attempt.batches:
        yield f"{story}: the checkpoint of batch {attempt.batches} was saved, and that of {newest} is named"
    # the file that this kill cut off; those of earlier attempts are gone
    if len(left := leftovers(trial.state)) > 1:
        yield f"{story}: left behind: {', '.join(left)}"


def _device(path: Path) -> int:
    return path.stat().st_dev
