from pathlib import Path
from types import SimpleNamespace

import pytest

from snaketorch.config.load import load_study
from snaketorch.config.specs import PrepareSpec
from snaketorch.dag.workflow import Workflow

REPO = Path(__file__).parent.parent.parent


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
