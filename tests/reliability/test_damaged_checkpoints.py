"""A checkpoint whose bytes are not those that were written is never used, and the one before it is."""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from checkpoint_files import written
from end_of_training import unequal
from figures import FULL, count, prove
from reliability_trainings import training
from training_process import Trial

FLIPS = count(small=3, full=60)
CUTS = count(small=2, full=20)

SHORT = {"trainer": {"max_epochs": 3}}
KILLED_AFTER = 10  # batches: in the second epoch, with checkpoints of batches 8 and 10

Damage = Callable[[Path], None]


def cut(share: float) -> Damage:
    """Leaves so much of a file."""
    return lambda path: path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def flip_a_bit(place: float) -> Damage:
    """Turns over one bit, that far into a file."""

    def damage(path: Path) -> None:
        raw = bytearray(path.read_bytes())
        bit = int(place * 8 * len(raw))
        raw[bit // 8] ^= 1 << bit % 8
        path.write_bytes(raw)

    return damage


def damages() -> Iterator[tuple[str, Damage]]:
    """What happens to files, by name."""
    draw = random.Random(0)
    yield "empty", lambda path: path.write_bytes(b"")
    yield "zeros", lambda path: path.write_bytes(bytes(path.stat().st_size))
    yield "gone", lambda path: path.unlink()
    for _ in range(CUTS):
        share = draw.random()
        yield f"cut off at {share:.4%}", cut(share)
    for _ in range(FLIPS):
        place = draw.random()
        yield f"one bit flipped at {place:.4%}", flip_a_bit(place)


@pytest.fixture
def killed(new_trial) -> Callable[..., Trial]:
    """A training that was killed in its second epoch, with two checkpoints, in a new folder each time."""
    made: dict[int, Trial] = {}

    def of(seed: int = 0) -> Trial:
        if seed not in made:
            trial = new_trial(training("CNN", seed=seed, **SHORT))
            assert trial.attempt(kill_after_batches=KILLED_AFTER).killed, trial.log
            made[seed] = trial
        copy = new_trial(made[seed].training)
        shutil.copytree(made[seed].folder, copy.folder)
        return copy

    return of


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_used(killed, straight):
    expected, _, _ = straight(training("CNN", **SHORT))
    wrong, tried = [], 0
    for name, damage in [*damages(), ("foreign", _another_trainings(killed))]:
        trial = killed()
        before, newest = written(trial.state)
        damage(newest.path)
        wrong += _not_gone_on_from(trial, before.batches, newest.path.name, expected, f"{newest.path.name}: {name}")
        tried += 1
    prove(
        4,
        "newest checkpoint truncated, empty, bit-flipped, foreign: found, named in the log, the one before used",
        f"{tried}/{tried}",
        f"{tried - len(wrong)}/{tried}",
        wrong,
        f"{CUTS} cut off, {FLIPS} with one bit flipped, empty, zeros, gone, foreign; the ends are those undisturbed",
    )


def test_where_the_list_of_checkpoints_is_damaged_none_is_used_that_is_not_whole(killed, straight):
    expected, _, _ = straight(training("CNN", **SHORT))
    wrong, tried = [], 0
    for name, damage in damages():
        trial = killed()
        before, newest = (checkpoint.batches for checkpoint in written(trial.state))
        damage(trial.state / "checkpoints.json")
        attempt = trial.attempt()
        story = f"checkpoints.json: {name}"
        # a flipped bit in it may make it forget one, or disbelieve it
        if attempt.code == 0 and attempt.began_at not in (before, newest):
            wrong.append(f"{story}: it went on after batch {attempt.began_at}, not {before} or {newest}: {trial.log}")
        wrong += unequal(trial, attempt, expected, story)
        tried += 1
    prove(
        4,
        "list of checkpoints truncated, empty, bit-flipped: a whole checkpoint used",
        f"{tried}/{tried}",
        f"{tried - len(wrong)}/{tried}",
        wrong,
        "the checkpoints are judged by the sums in them where their list is lost",
    )


def test_where_nothing_whole_is_left_the_training_stops_and_says_what_to_do(killed):
    wrong, tried = [], 0
    for name, damage in list(damages()) if FULL else list(damages())[:4]:
        trial = killed()
        checkpoints = written(trial.state)
        for checkpoint in checkpoints:
            damage(checkpoint.path)
        attempt = trial.attempt()
        story = f"all checkpoints: {name}"
        if attempt.code == 0 or attempt.began_at != -1:
            wrong.append(f"{story}: exit code {attempt.code}, training began after batch {attempt.began_at}")
        said = [*(checkpoint.path.name for checkpoint in checkpoints), "start-over trial --seed 0"]
        wrong += [f"{story}: the log does not say {what}: {trial.log}" for what in said if what not in trial.log]
        if sorted(path.name for path in trial.state.glob("step-*")) != sorted(
            checkpoint.path.name for checkpoint in checkpoints if checkpoint.path.exists()
        ):
            wrong.append(f"{story}: files are gone: {trial.log}")
        tried += 1
    prove(
        4,
        "all checkpoints damaged: no training from nothing, all files named, and how to begin anew",
        f"{tried}/{tried}",
        f"{tried - len(wrong)}/{tried}",
        wrong,
    )


def _another_trainings(killed: Callable[..., Trial]) -> Damage:
    """Puts a whole checkpoint in place of a file, and in the list: one of another seed."""

    def damage(path: Path) -> None:
        other = killed(seed=1)
        shutil.copy(other.state / path.name, path)
        ours, theirs = ((folder / "checkpoints.json").read_text("utf-8") for folder in (path.parent, other.state))
        entries = [json.loads(ours)[0], json.loads(theirs)[-1]]
        (path.parent / "checkpoints.json").write_text(json.dumps(entries), "utf-8")

    return damage


def _not_gone_on_from(trial: Trial, batches: int, skipped: str, expected: dict[str, str], story: str) -> list[str]:
    attempt = trial.attempt()
    found = unequal(trial, attempt, expected, story)
    if attempt.began_at != batches:
        found.append(f"{story}: it went on after batch {attempt.began_at}, not {batches}: {trial.log}")
    if not any(skipped in line and "not used" in line for line in trial.log.splitlines()):
        found.append(f"{story}: the log does not say that {skipped} is not used: {trial.log}")
    return ["; ".join(found)] if found else []
