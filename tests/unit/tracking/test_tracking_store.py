import base64
import multiprocessing
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import mlflow.store.tracking.sqlalchemy_store  # noqa: F401  # once, before processes fork
import pytest

from snaketorch.tracking.store import TrackingError, connect, initialise


def _initialise(uri, results):
    try:
        results.put(initialise(uri, "digits"))
    except Exception as error:
        results.put(repr(error))


def test_processes_that_meet_at_a_fresh_store_all_succeed(study):
    fork = multiprocessing.get_context("fork")
    results = fork.SimpleQueue()
    processes = [
        fork.Process(target=_initialise, args=(f"sqlite:///{study}/results/mlflow.db", results)) for _ in range(8)
    ]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    assert found == ["1"] * 8


def test_files_of_a_local_store_lie_beside_it(uri, client, study, monkeypatch):
    monkeypatch.chdir("/")
    location = client.get_experiment(initialise(uri, "digits")).artifact_location
    assert location == (study / "results" / "mlartifacts").as_uri()


def test_a_study_has_one_experiment(uri):
    assert initialise(uri, "digits") == initialise(uri, "digits")
    assert initialise(uri, "digits") != initialise(uri, "sunspots")


def test_a_deleted_experiment_is_named_with_the_way_back(uri, client):
    number = initialise(uri, "digits")
    client.delete_experiment(number)
    with pytest.raises(TrackingError, match=rf"'digits' .*was deleted; .*--experiment-id {number}\b"):
        initialise(uri, "digits")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://anna:hunter2@127.0.0.1:9", "no answer from http://127.0.0.1:9: .*Connection refused"),
        ("postgresql+nonsense://anna:hunter2@127.0.0.1:9/db", "."),
        ("gopher://anna:hunter2@127.0.0.1", "unsupported URI"),
    ],
)
def test_an_address_that_cannot_be_used_is_named_without_its_password(study, monkeypatch, address, message):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "")
    with pytest.raises(TrackingError, match=message) as caught:
        initialise(address, "digits")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_login_in_the_address_reaches_the_server(study, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "somebody")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "else")
    logins = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self):
            logins.append(base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")))
            self.send_error(404)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(TrackingError):
            initialise(f"http://anna:p%40ss@127.0.0.1:{server.server_port}", "digits")
        server.shutdown()
    assert set(logins) == {b"anna:p@ss"}


def test_a_fresh_database_is_created_with_its_folder(study):
    connect(f"sqlite:///{study}/new/folder/team.db")
    assert (study / "new" / "folder" / "team.db").stat().st_size > 0


def test_what_is_no_database_is_told_at_once(study):
    folder, file = study / "folder.db", study / "file.db"
    folder.mkdir()
    file.write_text("no database " * 100)

    with pytest.raises(TrackingError, match=r"folder\.db cannot be opened as a database"):
        connect(f"sqlite:///{folder}")
    with pytest.raises(TrackingError, match=r"file\.db is no SQLite database, or it is damaged"):
        connect(f"sqlite:///{file}")


def test_a_database_that_another_writes_to_is_no_damaged_one(uri, study):
    file = study / "results/mlflow.db"
    program = (
        "import sqlite3, time; d = sqlite3.connect(%r, isolation_level=None); d.execute('BEGIN EXCLUSIVE');"
        "print(flush=True); time.sleep(1); d.execute('COMMIT')"
    )
    with subprocess.Popen([sys.executable, "-c", program % str(file)], stdout=subprocess.PIPE) as other:
        other.stdout.readline()

        assert initialise(uri, "digits") == "1"
