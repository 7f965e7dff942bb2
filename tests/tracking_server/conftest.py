import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from urllib.parse import quote

import postgres_cluster
import pytest
from postgres_cluster import Cluster
from team_server import ADMIN, TeamServer

from snaketorch.tracking.store import connect


class Server:
    """A real MLflow server, which can be killed and started again where it was."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{self.folder}/server.db"]
        command += ["--artifacts-destination", str(self.folder / "files")]
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=os.environ | quiet, cwd=self.folder, start_new_session=True
            )
        end = time.monotonic() + 300
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "server.log").read_text()
            assert time.monotonic() < end, "the server did not start"
            time.sleep(0.1)

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)  # with its worker
        self.process.wait()

    def _answers(self):
        try:
            with urllib.request.urlopen(f"{self.address}/health", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """On a busy machine an answer that many ask for at once takes longer than a job may wait for it."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "120")


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def client(server, monkeypatch):
    # the login from an address is kept in the environment
    for name in ("USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", "")
    return connect(server.address)


@pytest.fixture(scope="session")
def cluster():
    """PostgreSQL, with databases for one server."""
    if reason := postgres_cluster.missing():
        pytest.skip(reason)
    running = Cluster()
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def team(cluster, tmp_path_factory):
    """The documented server, for the session."""
    server = TeamServer(cluster, tmp_path_factory.mktemp("team"))
    try:
        server.start(MLFLOW_AUTH_ADMIN_PASSWORD=ADMIN)
        yield server
    finally:
        server.kill()


@pytest.fixture
def people(team, monkeypatch):
    """Makes people with a login, and gives the address of the server for each."""
    from mlflow.server import get_app_client

    def log_in(name, password=ADMIN):
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", name)
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)

    def make(name):
        log_in("admin")
        auth = get_app_client("basic-auth", team.address)
        password = f"{name}, a long password"
        auth.create_user(name, password)
        log_in("nobody", "")
        return team.address.replace("://", f"://{name}:{quote(password)}@")

    yield make
