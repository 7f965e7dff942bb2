"""A training that is killed at any moment, and started again, ends with the bits of one that never was."""

import random
import shutil
from collections import Counter

from end_of_training import unequal
from figures import count, prove
from reliability_trainings import all_trainings

TRIALS = count(small=8, full=50)
MOST_KILLS = 3


def test_kills_at_random_moments_leave_no_trace(new_trial, straight):
    trainings, phases, kills, wrong = all_trainings(), Counter(), Counter(), []
    for number in range(TRIALS):
        training, draw = trainings[number % len(trainings)], random.Random(number)
        expected, seconds, batches = straight(training)
        trial, landed, done = new_trial(training), [], 0
        planned = draw.randint(1, MOST_KILLS)
        while len(landed) < planned:
            left = seconds * (1 - done / batches)
            attempt = trial.attempt(kill_seconds=draw.uniform(0, left))
            if attempt.killed:
                landed.append(attempt.phase)
                done = max(done, attempt.batches)
            elif landed or attempt.code != 0:
                break
            else:  # it was done before it could be killed: anew
                shutil.rmtree(trial.folder)
        if attempt.killed:
            attempt = trial.attempt()
        phases.update(landed)
        kills[len(landed)] += 1
        story = f"trial {number} ({training.name}), killed {', '.join(landed)}"
        wrong += unequal(trial, attempt, expected, story)
        shutil.rmtree(trial.folder)
    prove(
        1,
        "SIGKILL at random moments: weights, optimizer state, EMA, history and journal equal",
        f"{TRIALS}/{TRIALS}",
        f"{TRIALS - len(wrong)}/{TRIALS}",
        wrong,
        f"{sum(phases.values())} kills, {_listed(phases)}; trials by their kills: {_listed(kills)}",
    )


def _listed(counted: Counter) -> str:
    return ", ".join(f"{what}: {number}" for what, number in sorted(counted.items()))
