import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from mlflow.models import Model

from snaketorch.inference.bundle import load_bundle
from snaketorch.registry.package import save
from tests.serving.small_bundles import KINDS, small_bundle


class Server:
    """``mlflow models serve`` as the documentation starts it, on a free port of this machine."""

    def __init__(self, model, folder):
        self.model, self.folder = model, folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(self.model), "--env-manager", "local"]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
            "OMP_NUM_THREADS": "1",
        }
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment, cwd=self.folder, start_new_session=True
            )
        try:
            self._wait(time.monotonic() + 600)  # a few seconds, on a machine that does nothing else
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def _wait(self, end):
        while self.get("/ping") != 200:
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < end, self.log()
            time.sleep(0.2)

    def stop(self):
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # with its workers, which are of its group
        self.process.wait()

    def log(self):
        return (self.folder / "server.log").read_text()

    def get(self, path):
        try:
            with urllib.request.urlopen(self.address + path, timeout=60) as answer:
                self.body = answer.read().decode()
                return answer.status
        except OSError:
            return None

    def post(self, body, content_type="application/json"):
        """The status of the answer, and what it says."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/invocations", data, {"Content-Type": content_type})
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def post_at_once(self, bodies):
        with ThreadPoolExecutor(len(bodies)) as pool:
            return list(pool.map(self.post, bodies))


class Served:
    """A bundle, what it predicts in this process, and the server that has it."""

    def __init__(self, kind, bundle, server):
        self.kind, self.server, self.predictor = kind, server, load_bundle(bundle)

    def records(self):
        """Two good rows."""
        return self.predictor.example.to_dict("records")


@pytest.fixture(scope="session")
def bundles(tmp_path_factory):
    """Makes the bundle of a kind, once."""
    made, threads, here = {}, torch.get_num_threads(), Path.cwd()

    def bundle(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind)
            os.chdir(folder)
            try:
                made[kind] = small_bundle(folder, kind)
            finally:
                os.chdir(here)
        return made[kind]

    torch.set_num_threads(1)
    yield bundle
    torch.set_num_threads(threads)


@pytest.fixture(scope="session", params=KINDS)
def served(request, bundles, tmp_path_factory):
    """A server of each kind in turn."""
    kind = request.param
    folder = tmp_path_factory.mktemp(f"{kind}-server")
    save(bundles(kind), folder / "model", Model())
    with Server(folder / "model", folder) as server:
        yield Served(kind, bundles(kind), server)
