import json
import time

import pytest
from sweep_parts import train

from snaketorch.tuning.ledger import FILE, Known, Ledger


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path)
    yield ledger
    ledger.close()


def test_another_process_knows_all_that_was_told(ledger, tmp_path):
    train(ledger, ledger.propose({"optimizer.lr": 0.1}, "searched"), 0.5, 0.75)
    train(ledger, ledger.propose({"optimizer.lr": 0.2}, "searched"), 0.25, status=None)
    ledger.propose({"optimizer.lr": 0.3}, "searched")
    known = Known(tmp_path)
    assert known.all == ledger.all
    first, second, third = known.all
    assert (first.status, first.curve, first.seconds, first.attempts) == ("finished", [(1, 0.5), (2, 0.75)], 2.0, 1)
    assert (second.status, third.status) == ("running", "pending")
    assert known.unfinished == [second, third]
    assert known.over == [first]


def test_an_epoch_that_is_told_again_is_left_out(ledger):
    trial = ledger.propose({"optimizer.lr": 0.1}, "searched")
    train(ledger, trial, 0.5, 0.75, status=None)
    train(ledger, trial, 0.5, 0.75, 0.875)
    assert trial.curve == [(1, 0.5), (2, 0.75), (3, 0.875)]
    assert trial.attempts == 2


def test_a_metric_that_is_not_finite_is_kept_as_none(ledger, tmp_path):
    trial = ledger.propose({"optimizer.lr": 0.1}, "searched")
    train(ledger, trial, None, 0.5)
    assert Known(tmp_path).all[0].curve == [(1, None), (2, 0.5)]
    assert trial.best("max") == (2, 0.5)


@pytest.mark.parametrize("cut", range(2, 40, 6))
def test_a_line_that_a_kill_cut_off_is_left_out(tmp_path, cut):
    first = Ledger(tmp_path)
    train(first, first.propose({"optimizer.lr": 0.1}, "searched"), 0.5)
    first.close()
    whole = (tmp_path / FILE).read_text()
    (tmp_path / FILE).write_text(whole[:-cut])
    second = Ledger(tmp_path)
    assert second.all[0].status == "running"
    second.end(0, "finished")
    second.close()
    assert Known(tmp_path).all[0].status == "finished"


def test_the_time_of_killed_attempts_counts_up_to_their_last_word(tmp_path):
    events = [
        {"event": "begin", "time": 100.0},
        {"event": "proposed", "number": 0, "values": {}, "origin": "searched", "time": 130.0},
        {"event": "begin", "time": 1000.0},
        {"event": "started", "number": 0, "node": "n1", "device": "CPU", "time": 1005.0},
    ]
    (tmp_path / FILE).write_text("".join(json.dumps(event) + "\n" for event in events))
    assert Known(tmp_path).spent == 35.0


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_changes_no_time_that_was_spent(tmp_path, monkeypatch, hours):
    ledger = Ledger(tmp_path)
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + 3600 * hours)
    ledger.propose({"optimizer.lr": 0.1}, "searched")
    assert 0 < ledger.seconds < 600
    ledger.close()
    assert 0 < Known(tmp_path).spent < 600


def test_trials_that_are_done_keep_the_order_in_which_they_ended(ledger):
    trials = [ledger.propose({"optimizer.lr": rate}, "searched") for rate in (0.1, 0.2, 0.3)]
    for trial in (trials[2], trials[0], trials[1]):
        train(ledger, trial, 0.5)
    assert [trial.number for trial in ledger.over] == [2, 0, 1]
