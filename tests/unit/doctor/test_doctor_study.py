import http.server
import threading

import pytest

from snaketorch.doctor import study as module
from snaketorch.doctor.study import look_at_study
from snaketorch.state.mounts import Mount


@pytest.fixture
def found(tmp_path, monkeypatch):
    """What is found of the study in a folder, by what it is about."""
    monkeypatch.chdir(tmp_path)
    for name in ("SNAKETORCH_STUDY", "SNAKETORCH_TRACKING", "SNAKETORCH_TRACKING_URI", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "to be restored")
        monkeypatch.delenv(name)
    return lambda: {finding.about: finding for finding in look_at_study(tmp_path)}


@pytest.fixture
def study(tmp_path):
    """Writes a study, whose tracking is as told."""

    def write(tracking: str = "{}") -> None:
        for name, text in {
            "config.yaml": f"study: tiny\ntracking: {tracking}",
            "datasets/digits.yaml": "source: {kind: sklearn, name: digits}",
            "experiments/cnn.yaml": "task: image_classification\ndata: digits\nmodel: {kind: cnn}\n"
            "optimizer: {kind: adamw, lr: 1.0e-3}\ntrainer: {max_epochs: 1}\nseeds: [0]\n",
        }.items():
            path = tmp_path / "config" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    return write


@pytest.fixture
def server():
    """A server that answers with a code; gives its address."""
    servers = []

    def start(code: int) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(code if self.path == "/health" else 404)
                self.end_headers()

            def log_message(self, *_):
                pass

        servers.append(http.server.HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"127.0.0.1:{servers[-1].server_port}"

    yield start
    for one in servers:
        one.shutdown()
        one.server_close()


def test_a_folder_without_a_study_is_no_mistake(found, tmp_path):
    assert found()["configuration"].found == f"none in {tmp_path}; a study has a folder config/"
    assert found()["MLflow"].found == f"a local store, {tmp_path}/results/mlflow.db"


def test_a_valid_study_is_counted_and_a_wrong_one_fails(found, study, tmp_path):
    study()
    assert found()["configuration"].found == "valid; experiments: 1, datasets: 1"
    (tmp_path / "config/experiments/cnn.yaml").write_text("task: nothing")
    wrong = found()["configuration"]
    assert wrong.status == "FAIL"
    assert wrong.found.startswith("The configuration has ")


def test_tracking_that_is_switched_off_is_not_asked(found, study):
    study("{enabled: false}")
    assert found()["MLflow"].found == "tracking is switched off (`tracking.enabled`)"


@pytest.mark.parametrize(("code", "status"), [(200, "OK"), (401, "OK"), (500, "WARN")])
def test_the_server_of_the_study_is_asked(found, study, server, code, status):
    address = server(code)
    study(f"{{uri: 'http://{address}'}}")
    assert found()["MLflow"].status == status
    assert address in found()["MLflow"].found


def test_a_server_that_is_away_stops_nothing_and_its_password_is_not_told(found, monkeypatch, server):
    address = server(200).rpartition(":")[0] + ":9"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:secret@{address}")
    finding = found()["MLflow"]
    assert finding.status == "WARN"
    assert finding.found.startswith(f"http://{address} cannot be reached")
    assert "secret" not in finding.found + finding.advice


def test_a_local_store_on_a_network_file_system_is_told(found, monkeypatch):
    monkeypatch.setattr(module, "mount_of", lambda _: Mount("nfs4", frozenset()))
    assert found()["MLflow"].found.endswith("on nfs4, see SQLite")
