"""What a trial tells its sweep."""

import pytest

from snaketorch.tuning import worker
from snaketorch.tuning.worker import Reports


@pytest.fixture
def told(monkeypatch):
    """The points that were told, a list for each report."""
    found = []
    monkeypatch.setattr(worker.tune, "report", lambda result: found.append(result["points"]))
    return found


def test_epochs_that_the_sweep_knows_are_told_once(told):
    reports = Reports([(1, 0.5), (2, 0.4)], frozenset({3}))
    for epoch in (1, 2, 3, 4, 4, 3):
        reports.add(epoch, 1.0 / epoch)
    reports.end("finished")
    assert told == [[(3, pytest.approx(1 / 3))], [(4, 0.25)]]
