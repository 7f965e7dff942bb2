from pathlib import Path

import pytest

from snaketorch.registry.aliases import Model
from snaketorch.registry.audit import Audit
from snaketorch.tracking.store import connect


@pytest.fixture
def study(study, monkeypatch):
    """One that has a name."""
    monkeypatch.setenv("SNAKETORCH_STUDY", "small")
    return study


@pytest.fixture
def model(uri, study):
    """A registered model with three versions."""
    client = connect(uri)
    client.create_registered_model("digits")
    for number in (1, 2, 3):
        source = (study / f"model-{number}").as_uri()
        client.create_model_version("digits", source, tags={"snaketorch.run_key": f"digits_cnn/seed-{number}/abc"})
    return Model(client, "digits", uri)


@pytest.fixture
def audit(study):
    return Audit(Path("results/audit.jsonl"))
