"""The documented nginx before the documented server, with a certificate that the test makes."""

import shutil
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from documented_commands import block, placed
from postgres_cluster import free_port

from snaketorch.journal import ROOT, Journal, Run
from snaketorch.tracking.store import TrackingError, connect, initialise
from snaketorch.tracking.sync import sync_journal

pytestmark = pytest.mark.tracking

AROUND = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
    fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
    {server}
}}
"""


@pytest.fixture
def proxy(team, tmp_path):
    """nginx with the block of the page; gives its address."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if nginx is None:
        pytest.skip("no nginx here; on Debian and Ubuntu: apt-get install nginx-light")
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(tmp_path / "privkey.pem"), "-out", str(tmp_path / "fullchain.pem")]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names, *files]
    subprocess.run(make, check=True, capture_output=True)
    port = free_port()
    places = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "mlflow.example.org": "localhost",
        "/etc/ssl/mlflow": tmp_path,
        "127.0.0.1:5000": team.host,
    }
    configuration = AROUND.format(folder=tmp_path, server=placed(block("nginx", "5. TLS"), places))
    (tmp_path / "nginx.conf").write_text(configuration)
    with (tmp_path / "nginx.log").open("w") as log:
        process = subprocess.Popen([nginx, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")], stderr=log)
    try:
        end = time.monotonic() + 300
        while not answers(port, tmp_path):
            assert process.poll() is None, (tmp_path / "nginx.log").read_text()
            assert time.monotonic() < end
            time.sleep(0.1)
        yield f"https://localhost:{port}"
    finally:
        process.kill()
        process.wait()


def answers(port, folder):
    done = subprocess.run(
        ["curl", "--silent", "--cacert", str(folder / "fullchain.pem"), f"https://localhost:{port}/health"],
        capture_output=True,
        text=True,
    )
    return done.stdout == "OK"


def test_a_training_logs_through_tls_and_only_under_the_servers_name(team, people, proxy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    address = people("tls").replace(team.address.replace("http://", ""), proxy.removeprefix("https://"))
    address = address.replace("http://", "https://")
    with pytest.raises(TrackingError, match="CERTIFICATE_VERIFY_FAILED"):
        initialise(address, "tls")

    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(tmp_path / "fullchain.pem"))
    journal = Journal(ROOT / "a", Run(key="a", name="a", status="FINISHED"))
    journal.log_metrics({"train/loss": 1.0}, 0)
    (tmp_path / "model.bin").write_bytes(bytes(3 * 2**20))  # more than nginx takes by itself
    journal.add_artifact(tmp_path / "model.bin")
    report = sync_journal(journal.folder, address, "tls")
    assert (report.problems, report.metrics, report.files) == ([], 1, 1)
    [run] = connect(address).search_runs([connect(address).get_experiment_by_name("tls").experiment_id])
    assert run.data.metrics == {"train/loss": 1.0}

    secure = ["curl", "--silent", "--cacert", str(tmp_path / "fullchain.pem"), "--write-out", "%{http_code}"]
    asked = [*secure, "--output", "/dev/null", "-X", "POST", f"{proxy}/api/2.0/mlflow/experiments/search"]
    foreign = [*asked, "--header", "Host: evil.example.org"]
    assert subprocess.run(asked, capture_output=True, text=True).stdout == "401"
    assert subprocess.run(foreign, capture_output=True, text=True).stdout == "403"
    with pytest.raises(urllib.error.HTTPError, match="400"):  # without TLS there is nothing to hear
        urllib.request.urlopen(proxy.replace("https://", "http://"), timeout=60)
