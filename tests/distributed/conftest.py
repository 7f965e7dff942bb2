import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from rank_server import BEGIN
from small_curves import prepare


class Server:
    """The process that all others are made of."""

    def __init__(self, folder: Path, repo: Path):
        environment = {**os.environ, "PYTHONPATH": f"{repo}{os.pathsep}{repo / 'tests/distributed'}"}
        command = [sys.executable, "-m", "tests.distributed.rank_server"]
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def answer(self, job: dict) -> str:
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith(BEGIN):
                return json.loads(line[1:])
        return "it died"

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait(300)
        self.process.stdout.close()


@dataclass(frozen=True)
class Together:
    """Processes that train together, ready for one training after the other."""

    devices: int
    server: Server

    def train(self, spec, manifest: Path, name: str, **faults) -> str:
        """How a training ended in all of them; goes on where one of that name was killed.

        ``faults``: arguments of the rank server; ``fresh`` ends all of its processes afterwards.
        """
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        job = {"devices": self.devices, "port": port, "spec": spec, "manifest": str(manifest), "name": name}
        job |= {"saves": False, "kill_at": None, "broken": [], "memory": None, "fresh": False, **faults}
        return self.server.answer(job)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("together")


@pytest.fixture(scope="session")
def manifests(folder) -> dict[str, Path]:
    return prepare(folder / "data")


@pytest.fixture(scope="session")
def server(folder, repo):
    process = Server(folder, repo)
    yield process
    process.end()


@pytest.fixture(scope="session")
def one(server):
    return Together(1, server)


@pytest.fixture(scope="session")
def two(server):
    return Together(2, server)


@pytest.fixture(scope="session")
def three(server):
    return Together(3, server)


@pytest.fixture(scope="session")
def four(server):
    return Together(4, server)
