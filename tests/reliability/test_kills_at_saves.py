"""Kills exactly where a checkpoint has just been written, and just before every other change in the folder."""

import random
import shutil
from itertools import combinations

import pytest
from end_of_training import unequal
from figures import FULL, count, prove
from reliability_trainings import training
from training_process import Trial

SHORT = {"trainer": {"max_epochs": 3}, "data_loader": {"batch_size": 20}}
KINDS = ("CNN", "GAN", "LSTM") if FULL else ("CNN",)
PAIRS = count(small=6, full=1000)
OPERATIONS = count(small=6, full=60)
LAST_OPERATIONS = 16
"""Of a training: it publishes what it made, and says so in its state."""


def _copied(trial: Trial, name: str) -> Trial:
    """The same training, as far as it is, in another folder."""
    folder = trial.folder.with_name(f"{trial.folder.name}-{name}")
    shutil.copytree(trial.folder, folder)
    return Trial(trial.server, trial.training, folder, trial.manifest, trial.save_every)


def _finished(trial: Trial, expected: dict[str, str], story: str) -> list[str]:
    """Trains to the end; what is wrong then."""
    return unequal(trial, trial.attempt(), expected, story)


def _chosen(items: list, number: int) -> list:
    """All of them, or so many at random."""
    return sorted(random.Random(0).sample(items, min(number, len(items))))


def test_a_kill_after_each_save_and_after_each_pair_of_saves_leaves_no_trace(new_trial, straight):
    singles, pairs, wrong = 0, 0, []
    for kind in KINDS:
        short = training(kind, **SHORT)
        expected, _, batches = straight(short, save_every=1)
        after: dict[int, Trial] = {}
        for first in range(1, batches + 1):
            trial = new_trial(short, save_every=1)
            attempt = trial.attempt(kill_after_batches=first)
            if not attempt.killed:  # a batch that ended no step, after which nothing is saved
                continue
            after[first] = trial
            wrong += _finished(_copied(trial, "single"), expected, f"{kind}, killed after batch {first}")
            singles += 1
        for first, second in _chosen(list(combinations(after, 2)), PAIRS):
            trial = _copied(after[first], f"pair-{second}")
            attempt = trial.attempt(kill_after_batches=second)
            assert attempt.killed, trial.log
            wrong += _finished(trial, expected, f"{kind}, killed after batches {first} and {second}")
            shutil.rmtree(trial.folder)
            pairs += 1
    prove(
        2,
        "kill exactly after each save, and after each pair of saves",
        "0 different",
        f"{len(wrong)} different",
        wrong,
        f"{singles} saves, {pairs} pairs of {', '.join(KINDS)}",
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_just_before_any_change_of_a_file_name_leaves_no_trace(kind, new_trial, straight):
    short = training(kind, **{**SHORT, "trainer": {"max_epochs": 2}})
    expected, _, _ = straight(short, save_every=1)
    operations = new_trial(short, save_every=1).finish().operations
    wrong, landed = [], 0
    every, end = list(range(1, operations + 1)), operations - LAST_OPERATIONS
    for number in [*_chosen(every[:end], OPERATIONS), *_chosen(every[end:], OPERATIONS)]:
        trial = new_trial(short, save_every=1)
        attempt = trial.attempt(kill_at_operation=number)
        landed += attempt.killed
        wrong += _finished(trial, expected, f"{kind}, killed before operation {number} of {operations}")
        shutil.rmtree(trial.folder)
    prove(
        2,
        f"kill just before each file is created, renamed or removed ({kind})",
        "0 different",
        f"{len(wrong)} different",
        wrong,
        f"{landed} of the {operations} changes of names in a whole training",
    )
