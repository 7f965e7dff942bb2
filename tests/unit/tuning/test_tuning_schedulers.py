import math

import pytest
from ray.tune.schedulers import TrialScheduler

from snaketorch.config.tune import Asha, Fifo, HyperBand, Median
from snaketorch.tuning.schedulers import METRIC, TIME, build_scheduler, milestones, remember
from snaketorch.tuning.trial import Trial

ASHA = Asha(kind="asha", grace_period=1, reduction_factor=3)


class Running:
    """As much of Ray's trial as a scheduler sees."""

    def __init__(self, name):
        self.trial_id = name


class Nobody:
    """A controller of Ray's without other trials."""

    def get_live_trials(self):
        return []


def decisions(scheduler, name, *values):
    """What a scheduler says to each epoch of a new trial."""
    trial = Running(name)
    scheduler.on_trial_add(None, trial)
    said = []
    for epoch, value in enumerate(values, start=1):
        said.append(scheduler.on_trial_result(Nobody(), trial, {TIME: epoch, METRIC: value}))
        if said[-1] == TrialScheduler.STOP:
            break
    return said


@pytest.mark.parametrize("options", [ASHA, Median(kind="median", grace_period=1, min_samples_required=2)])
@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_scheduler_judges_by_the_trials_of_earlier_attempts(options, mode):
    sign = 1 if mode == "max" else -1
    known = [Trial(n, {"lr": n}, status="finished", curve=[(e, sign * 0.9) for e in range(1, 10)]) for n in range(4)]
    fresh, told = (build_scheduler(options, mode, 9) for _ in range(2))
    remember(told, known)
    assert decisions(fresh, "bad", sign * 0.1, sign * 0.1)[0] == TrialScheduler.CONTINUE
    assert TrialScheduler.STOP in decisions(told, "bad", sign * 0.1, sign * 0.1)
    assert TrialScheduler.STOP not in decisions(told, "good", sign * 0.95, sign * 0.95)


NO_METRIC = {TIME: 0, METRIC: math.nan}
"""What a trial reports as it begins, and as it ends with nothing new to tell."""


@pytest.mark.parametrize("options", [ASHA, Median(kind="median", grace_period=1, min_samples_required=2)])
@pytest.mark.parametrize("mode", ["min", "max"])
def test_reports_without_a_metric_decide_nothing(options, mode):
    sign = 1 if mode == "max" else -1
    scheduler, found = build_scheduler(options, mode, 9), {}
    for name, level in {"one": 0.5, "two": 0.6, "three": 0.7, "best": 0.9, "worst": 0.1}.items():
        trial = Running(name)
        scheduler.on_trial_add(None, trial)
        results = [NO_METRIC, *({TIME: epoch, METRIC: sign * level} for epoch in (1, 2, 3)), NO_METRIC]
        said = (scheduler.on_trial_result(Nobody(), trial, result) for result in results)
        found[name] = TrialScheduler.STOP in said  # after which nothing more is reported
        scheduler.on_trial_complete(Nobody(), trial, NO_METRIC)
    assert found == dict.fromkeys(("one", "two", "three", "best"), False) | {"worst": True}


def test_a_scheduler_remembers_trials_that_came_to_nothing():
    scheduler = build_scheduler(ASHA, "max", 9)
    remember(scheduler, [Trial(0, {}, status="failed"), Trial(1, {}, status="finished", curve=[(1, None), (3, 0.5)])])
    assert decisions(scheduler, "next", 0.6, 0.6, 0.6) == [TrialScheduler.CONTINUE] * 3


@pytest.mark.parametrize(
    "options, epochs, expected",
    [
        (ASHA, 20, [1, 3, 9]),
        (Asha(kind="asha", grace_period=2, reduction_factor=4), 9, [2, 8]),
        (ASHA, 1, []),
        (Fifo(kind="fifo"), 9, []),
        (HyperBand(kind="hyperband"), 3, [1, 2, 3]),
    ],
)
def test_milestones_are_the_epochs_that_are_judged(options, epochs, expected):
    assert milestones(options, epochs) == expected


def test_asha_judges_at_its_milestones_alone():
    scheduler = build_scheduler(ASHA, "max", 20)
    rungs = sorted(milestone for milestone, _ in scheduler._brackets[0]._rungs)
    assert [math.ceil(rung) for rung in rungs if rung < 20] == milestones(ASHA, 20)
