import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, settings

from snaketorch.config.load import load_study
from snaketorch.config.specs import PrepareSpec
from snaketorch.dag.workflow import Workflow

# a busy machine is no failure
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

REPO = Path(__file__).parent.parent.parent
ADDRESSES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "SNAKETORCH_TRACKING_URI", "SNAKETORCH_TRACKING")


def _prepare(name: str, folder: Path) -> Path:
    from snaketorch.data.prepare import prepare

    workflow = Workflow(load_study(REPO))
    spec = PrepareSpec.model_validate_json(workflow.prepare_spec(SimpleNamespace(dataset=name)))
    manifest = folder / "manifest.json"
    prepare(spec, manifest=manifest, preview=folder / "preview.png", arrays=folder / "arrays", code="", source="none")
    return manifest


@pytest.fixture(scope="session")
def digits(tmp_path_factory) -> Path:
    """The manifest of the prepared digits."""
    return _prepare("digits", tmp_path_factory.mktemp("digits"))


@pytest.fixture(scope="session")
def sunspots(tmp_path_factory) -> Path:
    """The manifest of the prepared sunspots."""
    return _prepare("sunspots", tmp_path_factory.mktemp("sunspots"))


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory) -> Path:
    """A database that MLflow has set up, which takes it a second."""
    from snaketorch.tracking.store import connect

    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    connect(f"sqlite:///{file}")
    return file


@pytest.fixture
def study(tmp_path, monkeypatch) -> Path:
    """A working directory of its own, which no variable leads away from."""
    monkeypatch.chdir(tmp_path)
    for name in ADDRESSES:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def uri(study, empty_store) -> str:
    """Address of an empty local store."""
    file = study / "results" / "mlflow.db"
    file.parent.mkdir()
    shutil.copy(empty_store, file)
    return f"sqlite:///{file}"
