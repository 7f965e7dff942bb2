"""Addresses of Databricks, and a double of a workspace: no account was there to try a real one."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from snaketorch.errors import UserError
from snaketorch.tracking.address import scrub, shown, tracking_uri
from snaketorch.tracking.databricks import FOLDER, check_model_name, experiment_name, is_databricks, registry_uri
from snaketorch.tracking.store import TrackingError, initialise


@pytest.fixture(autouse=True)
def no_account(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("DATABRICKS_HOST", "DATABRICKS_TOKEN", "DATABRICKS_CONFIG_PROFILE", FOLDER, "MLFLOW_REGISTRY_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "databrickscfg"))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.fixture
def workspace(monkeypatch):
    """What a workspace answers who looks for an experiment and creates it; gives what it was asked."""
    asked = []

    class Workspace(BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer(None)

        def do_POST(self):
            self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def answer(self, sent):
            path = self.path.partition("?")[0]
            asked.append((path, sent, self.headers["Authorization"]))
            created = [entry for _, entry, _ in asked if entry and "name" in entry]
            if path == "/api/2.0/preview/scim/v2/Me":
                code, body = 200, {"userName": "anna@example.org"}
            elif path.endswith("/experiments/create"):
                code, body = 200, {"experiment_id": "17"}
            elif path.endswith("/experiments/get-by-name") and created:
                stage = {"experiment_id": "17", "name": created[0]["name"], "lifecycle_stage": "active"}
                code, body = 200, {"experiment": stage}
            else:
                code, body = 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such node"}
            text = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Workspace) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("DATABRICKS_HOST", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-secret")
        yield asked
        server.shutdown()


@pytest.mark.parametrize("uri", ["databricks", "databricks://team", "databricks://scope:prefix"])
def test_a_workspace_is_no_file_and_is_shown_as_it_is(uri, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert is_databricks(tracking_uri())
    assert tracking_uri() == shown(tracking_uri()) == uri
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("uri", ["https://databricks.example.org", "databricks-uc", "sqlite:///databricks", ""])
def test_other_addresses_are_no_workspace(uri):
    assert not is_databricks(uri)
    assert experiment_name(uri, "digits") == "digits"


def test_an_experiment_lies_in_the_folder_that_is_named(monkeypatch):
    monkeypatch.setenv(FOLDER, "/Shared/vision/")
    assert experiment_name("databricks", "digits") == "/Shared/vision/digits"
    assert experiment_name("databricks://team", "digits") == "/Shared/vision/digits"


@pytest.mark.parametrize("folder", ["vision", "results", "/Users/../etc", "/Users//x", "/home/anna", "dbfs:/x"])
def test_a_folder_that_no_workspace_has_is_refused(folder, monkeypatch):
    monkeypatch.setenv(FOLDER, folder)
    with pytest.raises(UserError, match="allowed: an absolute one, such as /Users/"):
        experiment_name("databricks", "digits")


def test_without_a_folder_the_experiment_is_among_ones_own(workspace, tmp_path):
    assert initialise("databricks", "digits") == "17"
    [(_, sent, authorization)] = [entry for entry in workspace if entry[0].endswith("/experiments/create")]
    assert sent["name"] == "/Users/anna@example.org/digits"
    assert "artifact_location" not in sent  # files are for the workspace to place
    assert authorization == "Bearer dapi-secret"
    assert list(tmp_path.iterdir()) == []


def test_a_profile_says_which_workspace_and_who(workspace, monkeypatch, tmp_path):
    host = os.environ["DATABRICKS_HOST"]
    monkeypatch.delenv("DATABRICKS_HOST")
    monkeypatch.delenv("DATABRICKS_TOKEN")
    (tmp_path / "databrickscfg").write_text(f"[team]\nhost = {host}\ntoken = dapi-of-the-team\n")
    assert initialise("databricks://team", "digits") == "17"
    authorizations = {authorization for path, _, authorization in workspace if path.startswith("/api/")}
    assert authorizations == {"Bearer dapi-of-the-team"}


def test_without_a_login_the_journals_stay_and_the_reason_is_told(monkeypatch, tmp_path):
    with pytest.raises(TrackingError):
        initialise("databricks", "digits")
    assert not (tmp_path / "mlruns").exists()


def test_a_token_is_in_no_message(monkeypatch):
    for name in ("DATABRICKS_TOKEN", "DATABRICKS_CLIENT_SECRET"):
        monkeypatch.setenv(name, f"secret-{name}")
        assert scrub(f"with secret-{name}", "databricks") == "with ***"


@pytest.mark.parametrize(
    ("uri", "registry"),
    [
        ("databricks", "databricks-uc"),
        ("databricks://team", "databricks-uc://team"),
        ("https://mlflow.example.org", "https://mlflow.example.org"),
    ],
)
def test_models_are_registered_where_mlflow_does(uri, registry, monkeypatch):
    from mlflow.tracking._model_registry.utils import _resolve_registry_uri

    assert registry_uri(uri) == _resolve_registry_uri(None, uri) == registry
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "databricks-uc://other")
    assert registry_uri(uri) == "databricks-uc://other"


def test_a_model_of_unity_catalog_has_three_parts():
    check_model_name("main.vision.digits_cnn", "databricks-uc://team")
    check_model_name("digits_cnn", "databricks")  # the registry of a workspace, as it was before
    check_model_name("digits_cnn", "https://mlflow.example.org")
    for name in ("digits_cnn", "vision.digits_cnn", "main..digits_cnn", "main.vision.digits/cnn", "a.b.c.d"):
        with pytest.raises(UserError, match=r"allowed: three parts, CATALOG\.SCHEMA\.MODEL"):
            check_model_name(name, "databricks-uc")
