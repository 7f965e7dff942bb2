import math
import random

import pytest
from sweep_parts import space_of, sweep_of

from snaketorch.config.suggestions import Seeded
from snaketorch.tuning.figures import draw_figures
from snaketorch.tuning.importance import FEWEST, Importance, importance_of
from snaketorch.tuning.trial import Trial

LR, HIDDEN, DROPOUT = "optimizer.lr", "model.hidden", "model.dropout"
FULL = {
    LR: {"loguniform": [1e-4, 1e-1]},
    HIDDEN: {"choice": [[16], [64]]},
    DROPOUT: {"uniform": [0.0, 0.5], "when": {"model.hidden": [64]}},
}


def trials_of(space, count, metric):
    drawn = [space.draw(Seeded(0, number)) for number in range(count)]
    return [
        Trial(number, values, status="finished", curve=[(1, metric(values, random.Random(number)))])
        for number, values in enumerate(drawn)
    ]


def by_rate(values, chance):
    return 1 - 0.3 * abs(math.log10(values[LR] / 1e-3)) + 0.01 * chance.random()


@pytest.fixture
def space():
    return space_of(sweep_of(space=FULL))


def test_the_key_that_decides_matters_and_the_others_do_not(space):
    found = importance_of(trials_of(space, 60, by_rate), space, "max")

    assert isinstance(found, Importance) and found.explained > 0.6
    assert 0.5 < found.keys[LR][0] < 1.3
    assert max(found.keys[HIDDEN][0], found.keys[DROPOUT][0]) < 0.1


def test_a_diverged_trial_changes_little(space):
    trials = trials_of(space, 60, by_rate)
    trials[7].curve = [(1, -1e9)]

    assert importance_of(trials, space, "max").keys[LR][0] > 0.5


def test_chance_is_not_taken_for_importance(space):
    found = importance_of(trials_of(space, 40, lambda values, chance: chance.random()), space, "max")

    assert "too little to say which key matters" in found


def test_too_few_trials_are_said_to_be_too_few(space):
    trials = trials_of(space, FEWEST - 1, by_rate)

    found = importance_of(trials, space, "max")

    assert found.startswith(f"{FEWEST - 1} trials with a result are too few to tell which of 3 keys matters")


@pytest.mark.parametrize("count", [0, 20])
def test_trials_without_a_difference_leave_nothing_to_tell(space, count):
    assert isinstance(importance_of(trials_of(space, count, lambda *_: 0.5), space, "max"), str)


def test_every_figure_of_a_sweep_is_drawn_whatever_became_of_its_trials(tmp_path, space):
    trials = trials_of(space, 8, by_rate)
    trials[1].status, trials[2].status, trials[3].status = "stopped", "failed", "out_of_memory"
    trials[3].curve, trials[4].curve, trials[5].status = [], [(1, None)], "running"

    draw_figures(tmp_path, trials, space, "val/accuracy", "max")

    drawn = {path.stem: path.read_text("utf-8") for path in tmp_path.glob("*.svg")}
    assert sorted(drawn) == ["curves", "history", "importance", "parallel", "slices"]
    assert "4 trials with a result are too few" in drawn["importance"]
    assert ">failed: 1<" in drawn["history"] and ">out of memory: 1<" in drawn["history"]
