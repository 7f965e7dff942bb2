"""The server of docs/tracking-server.md: its own commands, on a database and in a folder of a test."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from documented_commands import block, placed
from postgres_cluster import Cluster, free_port

ADMIN = "the password of admin"
_PROGRAMS = f"{Path(sys.executable).parent}/"


class TeamServer:
    """An MLflow server with logins; can be killed and started again where it was."""

    def __init__(self, cluster: Cluster, folder: Path):
        self.cluster, self.folder = cluster, folder
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.address = f"http://{self.host}"
        self.process: subprocess.Popen | None = None
        self.places = {"/srv/mlflow/venv/bin/": _PROGRAMS, "/srv/mlflow": folder, ":5432": f":{cluster.port}"}
        self.environment = {"PGPASSFILE": str(cluster.write_password_file(folder / "pgpass"))}
        inis = {name: value for name, value in self.places.items() if name == ":5432"}
        (folder / "basic_auth.ini").write_text(placed(block("ini", "3. Logins"), inis))
        (folder / "secret_key").write_text("0" * 64)
        names = {"--port 5000": f"--port {self.port}", "--workers 4": "--workers 2"}
        # as a user meets it, by way of the proxy, and as these tests do, directly
        names["mlflow.example.org"] = f"localhost,{self.host}"
        (folder / "serve.sh").write_text(placed(block("bash", "4. Start", "--app-name"), {**self.places, **names}))

    def start(self, **environment: str) -> None:
        """Starts it and waits until it answers."""
        self.process = self.launch(**environment)
        end = time.monotonic() + 300
        while not self._answers():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < end, f"the server did not start: {self.said}"
            time.sleep(0.1)

    def launch(self, **environment: str) -> subprocess.Popen:
        found = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "SNAKETORCH_"))}
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.Popen(
                ["bash", str(self.folder / "serve.sh")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=found | self.environment | environment,
                cwd=self.folder,
                start_new_session=True,
            )

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)  # with its workers
        if self.process is not None:
            self.process.wait()

    @property
    def said(self) -> str:
        return (self.folder / "server.log").read_text()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/health", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False
