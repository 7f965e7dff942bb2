import random
from types import SimpleNamespace

import pytest
from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler

from snaketorch.config.tune import Asha
from snaketorch.tuning.trial import Trial
from snaketorch.tuning.vectorised.rungs import Rungs

OPTIONS = Asha(kind="asha", grace_period=1, reduction_factor=3)


def test_one_of_three_goes_on_at_each_rung():
    rungs = Rungs(OPTIONS, "max", 27)
    alive = {number: number / 9 for number in range(9)}
    for epoch, left in ((1, {6, 7, 8}), (2, {6, 7, 8}), (3, {8}), (9, {8})):
        for number in rungs.losers(epoch, alive):
            del alive[number]
        assert alive.keys() == left


def test_less_is_better_where_the_mode_says_so():
    assert Rungs(OPTIONS, "min", 9).losers(1, {0: 0.1, 1: 0.2, 2: 0.3}) == {1, 2}


def test_trials_of_before_count():
    rungs = Rungs(OPTIONS, "max", 9)
    rungs.remember([Trial(number, {}, curve=[(1, 0.9)]) for number in range(5)])
    assert rungs.losers(1, {5: 0.5, 6: 0.95}) == {5}


def test_what_is_no_number_judges_nobody_and_is_not_judged():
    rungs = Rungs(OPTIONS, "max", 9)
    assert rungs.losers(1, {0: None}) == set()
    assert rungs.losers(1, {1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4}) == {1, 2}


def test_a_part_is_taken_out_and_put_back():
    whole, other = Rungs(OPTIONS, "max", 9), Rungs(OPTIONS, "max", 9)
    whole.losers(1, {0: 0.1, 1: 0.2, 2: 0.3})
    other.restore(whole.of([1, 2]))
    assert other.rungs[1] == {1: 0.2, 2: 0.3}


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_each_of_a_group_is_judged_as_ray_judges_the_last_to_come(mode, count):
    chance = random.Random(3)
    values = [chance.random() for _ in range(count)]
    ended = Rungs(OPTIONS, mode, 9).losers(1, dict(enumerate(values)))
    for last in range(count):
        ray = AsyncHyperBandScheduler("epoch", "value", mode, max_t=9, grace_period=1, reduction_factor=3)
        for number in [*(number for number in range(count) if number != last), last]:
            trial = SimpleNamespace(trial_id=str(number))
            ray.on_trial_add(None, trial)
            decision = ray.on_trial_result(None, trial, {"epoch": 1, "value": values[number]})
        assert (decision == TrialScheduler.STOP) == (last in ended)
