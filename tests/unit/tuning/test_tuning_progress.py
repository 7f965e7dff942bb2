"""What a sweep says of itself while it runs."""

import logging

import pytest

from snaketorch.state.sweep_progress import read_sweep_progress
from snaketorch.tuning.ledger import Ledger
from snaketorch.tuning.progress import Progress


@pytest.fixture
def ledger(tmp_path):
    """Of two trials that are done, and one that runs."""
    ledger = Ledger(tmp_path)
    for number, (value, status) in enumerate([(0.9, "finished"), (0.7, "stopped"), (0.8, None)]):
        ledger.propose({"optimizer.lr": 0.1 * (number + 1)}, "searched")
        ledger.start(number, "node", "cpu")
        ledger.tell(number, [(1, value)], 1.0)
        if status:
            ledger.end(number, status)
    yield ledger
    ledger.close()


def test_the_log_and_the_file_say_the_same(ledger, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    Progress(ledger, "val/accuracy", "max", 4, None).say(at_once=True)
    said = "2 of 4 trials done (1 finished, 1 stopped early), best val/accuracy 0.9 (trial 0)"
    assert caplog.messages == [said]
    assert str(read_sweep_progress(tmp_path)) == said


def test_the_last_line_is_not_said_twice(ledger, caplog):
    caplog.set_level(logging.INFO)
    progress = Progress(ledger, "val/accuracy", "max", 3, None)
    for _ in range(2):
        progress.say(at_once=True)
    ledger.end(2, "finished")
    progress.say(at_once=True)
    assert [message[:6] for message in caplog.messages] == ["2 of 3", "3 of 3"]


def test_the_time_left_is_that_of_the_trials_to_come(ledger):
    times = iter([0.0, 0.0, 10.0, 10.0])
    progress = Progress(ledger, "val/accuracy", "max", 4, None, clock=lambda: next(times))
    progress.began, progress.done_before = 0.0, 0
    next(times)
    assert progress.line().endswith(", about 10 s left")


def test_a_folder_that_cannot_be_written_ends_nothing(ledger, tmp_path, caplog, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("snaketorch.tuning.progress.write_sweep_progress", full)
    progress = Progress(ledger, "val/accuracy", "max", 4, None)
    progress.say(at_once=True)
    progress.say(at_once=True)
    assert caplog.text.count("cannot be written: No space left on device") == 1
