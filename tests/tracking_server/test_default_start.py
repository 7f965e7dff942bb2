"""What the checkout starts by itself is open to this machine alone, to no foreign page, and reports to nobody."""

import http.client
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from postgres_cluster import free_port

pytestmark = pytest.mark.tracking

REPO = Path(__file__).parents[2]


def status(port, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", "/api/2.0/mlflow/experiments/create", b'{"name": "x"}', headers)
    code = connection.getresponse().status
    connection.close()
    return code


@pytest.fixture
def pages(tmp_path):
    """``make ui`` in a folder of its own; gives its port."""
    # a make that another make has started would also tell its folders
    say = ["make", "--no-print-directory", "--dry-run", "ui"]
    line = subprocess.check_output(say, cwd=REPO, text=True).splitlines()[-1]
    program, *arguments = shlex.split(line)
    assert Path(program).name == "mlflow"
    port = free_port()
    (tmp_path / "results").mkdir()
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *arguments, "--port", str(port), "--workers", "1"],
            cwd=tmp_path,
            env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + 300
        while True:
            try:
                if status(port, Host="nobody.example.org") == 403:
                    break
            except OSError:
                pass
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < end, "it did not start"
            time.sleep(0.2)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_the_pages_are_for_this_machine_and_for_no_foreign_host_or_page(pages):
    listening = [line.split()[3] for line in subprocess.check_output(["ss", "-Hltn"], text=True).splitlines()]
    assert [place for place in listening if place.endswith(f":{pages}")] == [f"127.0.0.1:{pages}"]
    assert status(pages, Host="evil.example.org") == 403
    own = {"Host": f"127.0.0.1:{pages}", "Content-Type": "application/json"}
    assert status(pages, **own, Origin="https://evil.example.org") == 403
    assert status(pages, **own) == 200


def test_a_client_reports_to_nobody(tmp_path):
    script = "from snaketorch.tracking.store import connect; connect('sqlite:///a.db'); "
    script += "import mlflow, os; from mlflow.telemetry.utils import is_telemetry_disabled as off; "
    script += "print(off(), os.environ['DO_NOT_TRACK'])"
    hidden = ("MLFLOW_", "PYTEST_", "CI", "DO_NOT_TRACK", "GITHUB_")  # MLflow is silent under tests anyway
    environment = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
    environment |= {"PYTHONPATH": str(REPO)}
    command = [sys.executable, "-c", script]
    assert subprocess.check_output(command, cwd=tmp_path, env=environment, text=True).split() == ["True", "1"]
