import pytest
from sweep_parts import train

from snaketorch.errors import Interrupted, OutOfTime, UserError
from snaketorch.signals import Noted
from snaketorch.training.deadline import Deadline
from snaketorch.tuning.ends import Ends
from snaketorch.tuning.ledger import Ledger


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path)
    yield ledger
    ledger.close()


def ends_of(ledger, signals=None, deadline=None, budget=None, most_failed=0.5, samples=8):
    return Ends(ledger, signals or Noted(), deadline, budget, most_failed, samples)


def fail(ledger, times):
    for number in range(times):
        train(ledger, ledger.propose({"lr": number}, "searched"), status="failed", error="no such layer")


def test_nothing_ends_a_sweep_by_itself(ledger):
    ends = ends_of(ledger)
    assert not ends.is_over()
    ends.check()


def test_a_signal_ends_it_for_the_next_attempt(ledger):
    signals = Noted()
    ends = ends_of(ledger, signals)
    signals.ended_by = "SIGTERM"
    assert ends.is_over()
    with pytest.raises(Interrupted, match="SIGTERM; 0 trials are done, and the next attempt goes on"):
        ends.check()


@pytest.mark.parametrize("enforced", [True, False])
def test_the_end_of_the_job_ends_it_where_somebody_would(ledger, enforced):
    ends = ends_of(ledger, deadline=Deadline(0.0, 3600.0, enforced, clock=lambda: 3590.0))
    assert ends.is_over() == enforced
    if enforced:
        with pytest.raises(OutOfTime):
            ends.check()


def test_a_budget_that_is_used_up_ends_it_with_a_result(ledger):
    ends = ends_of(ledger, budget=1e-6)
    assert ends.is_over()
    ends.check()


@pytest.mark.parametrize(
    "most, failed, over", [(0.5, 4, False), (0.5, 5, True), (2, 2, False), (2, 3, True), (0, 1, True)]
)
def test_more_failures_than_allowed_end_it(ledger, most, failed, over):
    fail(ledger, failed)
    ends = ends_of(ledger, most_failed=most)
    assert ends.is_over() == over
    if over:
        with pytest.raises(UserError, match=f"{failed} of {failed} trials failed.*no such layer"):
            ends.check()


def test_the_first_reason_stays(ledger):
    signals = Noted()
    ends = ends_of(ledger, signals, most_failed=0)
    fail(ledger, 1)
    assert ends.why == "failures"
    signals.ended_by = "SIGTERM"
    assert ends.why == "failures"
