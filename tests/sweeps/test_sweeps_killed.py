"""Sweeps that are killed: no trial is lost or done twice, and nothing stays behind."""

import contextlib
import os
import random
import signal
import time

import pytest
from sweep_process import EPOCHS, RAY_ENDS_SECONDS, sweep_spec

pytestmark = pytest.mark.sweeps

TRIALS = 6


@pytest.fixture(scope="module")
def disturbed(new_sweep):
    """A sweep whose driver is killed twice, and told to end once, at random moments; and a trial's process twice."""
    sweep, spec = new_sweep(), sweep_spec()
    chance = random.Random(0)
    codes = []
    for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        sweep.start(spec)
        done = len(sweep.events("ended"))
        before = len(sweep.events("started"))
        sweep.when(lambda before=before: len(sweep.events("started")) > before)
        time.sleep(chance.uniform(0, 1.5))
        assert done < TRIALS - 1, "the trials are over too soon for this test"
        sweep.kill(how)
        codes.append(sweep.end(300))
    sweep.start(spec)
    before = len(sweep.events("started"))
    sweep.when(lambda: len(sweep.events("started")) > before and sweep.trial_processes())
    listens_on = sweep.listens_on()

    def kills_a_trial() -> bool:
        with contextlib.suppress(IndexError, ProcessLookupError):  # between two trials there is none
            os.kill(sweep.trial_processes()[0], signal.SIGKILL)
            return True
        return False

    sweep.when(kills_a_trial)
    assert sweep.end() == 0, sweep.said()
    return sweep, codes, listens_on


def test_a_sweep_that_is_told_to_end_says_that_it_is_not_done(disturbed):
    sweep, codes, _ = disturbed
    assert codes == [-signal.SIGKILL, 75, -signal.SIGKILL]
    assert "told to end by SIGTERM" in sweep.said()


def test_all_trials_of_a_killed_sweep_are_accounted_for_and_equal(disturbed, straight):
    sweep, _, _ = disturbed
    assert sweep.results == straight.results
    assert sweep.curves == straight.curves
    assert sweep.best == straight.best


def test_no_trial_is_done_twice(disturbed):
    sweep, _, _ = disturbed
    ended = [event["number"] for event in sweep.events("ended")]
    assert sorted(ended) == list(range(TRIALS))
    points = [(event["number"], epoch) for event in sweep.events("points") for epoch, _ in event["points"]]
    assert len(points) == len(set(points)) == TRIALS * EPOCHS


def test_a_trial_whose_process_was_killed_was_tried_again(disturbed):
    sweep, _, _ = disturbed
    assert max(int(row["attempts"]) for row in sweep.trials) >= 2


def test_nothing_of_a_sweep_listens_to_the_network(disturbed):
    _, _, listens_on = disturbed
    assert listens_on == {"127.0.0.1"}


def test_nothing_of_ray_stays_behind(disturbed):
    sweep, _, _ = disturbed
    end = time.monotonic() + RAY_ENDS_SECONDS
    while sweep.processes() and time.monotonic() < end:
        time.sleep(0.5)
    assert sweep.processes() == []
