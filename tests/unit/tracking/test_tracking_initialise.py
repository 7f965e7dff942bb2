import json
import logging

import pytest

from snaketorch.tracking import initialise as step
from snaketorch.tracking.initialise import init_tracking


@pytest.fixture
def init(study, caplog):
    caplog.set_level(logging.INFO)

    def run():
        init_tracking(study / "results" / "tracking.json", "digits")
        return json.loads((study / "results" / "tracking.json").read_text())

    return run


def test_the_local_store_is_ready_after_it(init, uri):
    assert init() == {"study": "digits", "uri": uri, "experiment_id": "1", "reachable": True, "message": "ready"}


def test_a_server_that_does_not_answer_is_a_warning_without_its_password(init, monkeypatch, caplog, study):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    for name in ("USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", "")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://anna:hunter2@127.0.0.1:9")
    state = init()
    assert (state["uri"], state["experiment_id"], state["reachable"]) == ("http://127.0.0.1:9", None, False)
    assert [entry.levelname for entry in caplog.records if "no answer" in entry.getMessage()] == ["WARNING"]
    files = [file for file in study.rglob("*") if file.is_file()]
    assert files
    for file in files:
        assert b"hunter2" not in file.read_bytes()
    assert "hunter2" not in caplog.text


def test_tracking_that_is_off_or_missing_is_no_failure(init, monkeypatch):
    monkeypatch.setattr(step, "find_spec", lambda name: None)
    assert init()["message"] == "mlflow is not installed here"
    monkeypatch.setenv("SNAKETORCH_TRACKING", "off")
    state = init()
    assert (state["message"], state["reachable"]) == ("tracking is switched off", False)
