import shutil

import pytest

from snaketorch.journal import ROOT, Journal, Run
from snaketorch.tracking.store import connect


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """A database that MLflow has set up, which takes it a second."""
    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    connect(f"sqlite:///{file}")
    return file


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A working directory of its own."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "SNAKETORCH_TRACKING_URI", "SNAKETORCH_TRACKING"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def uri(study, empty_store):
    """Address of an empty local store."""
    file = study / "results" / "mlflow.db"
    file.parent.mkdir()
    shutil.copy(empty_store, file)
    return f"sqlite:///{file}"


@pytest.fixture
def client(uri):
    return connect(uri)


@pytest.fixture
def new_journal(study):
    """Makes a journal; keyword arguments go to its run."""

    def make(key="digits_cnn/seed-0/0123456789abcdef", **more):
        return Journal(ROOT / key, Run(key=key, name="digits_cnn-seed-0", **more))

    return make
