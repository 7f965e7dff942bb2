"""What becomes of trials whose process ends."""

from types import SimpleNamespace

import pytest
from sweep_parts import space_of, sweep_of

from snaketorch.tuning.bookkeeper import Bookkeeper
from snaketorch.tuning.ledger import Ledger
from snaketorch.tuning.proposals import Proposals
from snaketorch.tuning.search import build_search

MAX_FAILURES = 2


class RayTrial(SimpleNamespace):
    """One that Ray Tune gives up."""

    def should_recover(self):
        return self.may_recover

    def get_pickled_error(self):
        return None

    def get_error(self):
        return None


@pytest.fixture
def begun(tmp_path):
    """A bookkeeper, and its only trial, which runs."""
    sweep = sweep_of(num_samples=1)
    ledger = Ledger(tmp_path)
    proposals = Proposals(ledger, build_search(sweep, space_of(sweep)), 1)
    trial = proposals.next()
    diary = SimpleNamespace(
        proposals=proposals, end=lambda trial, status, error: ledger.end(trial.number, status, error)
    )
    context = SimpleNamespace(spec=SimpleNamespace(tune=SimpleNamespace(max_failures=MAX_FAILURES)))
    yield Bookkeeper({"one": trial}, diary, None, context), trial
    ledger.close()


def test_a_trial_whose_process_ends_while_it_starts_gets_another_one(begun):
    bookkeeper, trial = begun
    for _ in range(MAX_FAILURES):
        bookkeeper.on_trial_error(0, [], RayTrial(trial_id="one", may_recover=True))
        assert not trial.is_over
        assert bookkeeper.diary.proposals.has_waiting
        assert bookkeeper.diary.proposals.next() is trial

    bookkeeper.on_trial_error(0, [], RayTrial(trial_id="one", may_recover=True))

    assert trial.status == "failed"
    assert not bookkeeper.diary.proposals.has_waiting


def test_a_trial_that_failed_too_often_and_says_nothing_is_over(begun):
    bookkeeper, trial = begun
    bookkeeper.on_trial_error(0, [], RayTrial(trial_id="one", may_recover=False))
    assert (trial.status, trial.error) == ("failed", "its process ended without a word")


def test_a_trial_that_is_over_is_not_done_twice(begun):
    bookkeeper, trial = begun
    bookkeeper.diary.end(trial, "finished", None)
    again = {"node": "here", "device": "cpu", "points": [(1, 0.5)], "seconds": 1.0, "status": "finished", "error": None}
    bookkeeper.on_trial_result(0, [], RayTrial(trial_id="one", may_recover=True), again)
    bookkeeper.on_trial_error(0, [], RayTrial(trial_id="one", may_recover=True))
    assert bookkeeper.diary.proposals.ledger.order == [trial.number]
    assert not bookkeeper.diary.proposals.has_waiting
