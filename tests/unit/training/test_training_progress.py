"""What a training says of how far it is."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from snaketorch.state.progress import Progress, read_progress, write_progress
from snaketorch.training import progress as telling
from tests.unit.example_study import example_spec
from tests.unit.trainings import train

SPEC = {"model": {"channels": [4], "hidden": 8}, "trainer": {"max_epochs": 3, "precision": "32-true"}}


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Everything that is told, in order."""
    monkeypatch.chdir(tmp_path)
    found: list[Progress] = []

    def write(folder: Path, progress: Progress) -> None:
        write_progress(folder, progress)
        assert read_progress(folder) == progress
        found.append(progress)

    monkeypatch.setattr(telling, "write_progress", write)
    return found


def test_a_training_says_where_it_is(told, digits, monkeypatch):
    monkeypatch.setattr(telling, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(telling, "AT_EPOCHS_SECONDS", 0.0)
    record = train(example_spec("digits_cnn", 0, **SPEC), digits)

    batches = told[0].batches
    assert batches * 3 == record["steps"]
    trained = [(one.epoch, one.batch) for one in told]
    assert trained == sorted(trained)
    assert set(trained) == {(epoch, batch) for epoch in range(3) for batch in range(batches)} | {(3, 0)}
    assert [round(one.share * 3 * batches) for one in told] == [one.epoch * batches + one.batch for one in told]
    assert told[0].seconds_left is None and told[0].metrics == {}
    assert told[-1].seconds_left == 0.0
    assert told[-1].metrics["val/accuracy"] == pytest.approx(float(last_row()["val/accuracy"]))


def last_row() -> dict[str, str]:
    header, *_, last = Path("out/history.csv").read_text().splitlines()
    return dict(zip(header.split(","), last.split(","), strict=True))


@pytest.mark.parametrize(("seconds_an_epoch", "epochs"), [(0.0, [0]), (0.6, [0, 2]), (1.0, [0, 1, 2, 3])])
def test_it_says_little_in_a_short_time(told, digits, monkeypatch, seconds_an_epoch, epochs):
    now = 0.0
    end = telling.TellProgress.on_train_epoch_end

    def after_some_time(*arguments):
        nonlocal now
        now += seconds_an_epoch
        end(*arguments)

    monkeypatch.setattr(telling, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(telling.TellProgress, "on_train_epoch_end", after_some_time)
    train(example_spec("digits_cnn", 0, **SPEC), digits)

    assert [one.epoch for one in told] == epochs, "once at the start, and at most once a second"


def test_a_folder_that_cannot_be_written_does_not_end_the_training(told, digits, monkeypatch, caplog):
    def full(*_) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(telling, "write_progress", full)
    monkeypatch.setattr(telling, "AT_EPOCHS_SECONDS", 0.0)
    train(example_spec("digits_cnn", 0, **SPEC), digits)

    assert caplog.text.count("No space left on device") == 1


def test_what_is_not_a_number_is_null(tmp_path):
    values = dict.fromkeys(Progress.__dataclass_fields__, 1) | {"metrics": {"val/loss": None}}
    write_progress(tmp_path, Progress(**values))

    assert json.loads((tmp_path / "progress.json").read_text())["metrics"] == {"val/loss": None}


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"epoch": 1}'])
def test_a_file_that_cannot_be_understood_says_nothing(text, tmp_path):
    (tmp_path / "progress.json").write_text(text)

    assert read_progress(tmp_path) is None
