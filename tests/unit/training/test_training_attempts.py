import json
from pathlib import Path

import pytest

from snaketorch.training import train as step
from tests.unit.example_study import example_spec
from tests.unit.trainings import train


def test_the_record_says_how_earlier_attempts_failed(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = example_spec("digits_cnn", 0, trainer={"max_epochs": 1, "precision": "32-true"})
    for error in (MemoryError("Unable to allocate 7 TiB"), KeyError("x")):
        with monkeypatch.context() as patch, pytest.raises(type(error)):
            patch.setattr(step, "fit", raising(error))
            train(spec, digits)
    (noted,) = Path("state/train").rglob("attempts.json")
    assert [attempt["failure"]["kind"] for attempt in json.loads(noted.read_text())["attempts"]] == [
        "host_memory",
        "bug",
    ]

    record = train(spec, digits)

    assert record["attempts"] == 3
    assert [(failure["attempt"], failure["kind"]) for failure in record["failures"]] == [(1, "host_memory"), (2, "bug")]
    assert record["failures"][0]["message"] == "MemoryError: Unable to allocate 7 TiB"
    assert record["started"] <= record["failures"][0]["time"]


def raising(error: BaseException):
    def fit(*_, **__):
        raise error

    return fit
