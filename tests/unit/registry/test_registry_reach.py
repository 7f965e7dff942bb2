"""A registry at another address than the tracking store."""

import pytest

from snaketorch.registry.aliases import Model
from snaketorch.registry.reach import registry
from snaketorch.tracking.store import TrackingError


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://anna:s3cr3t@127.0.0.1:9", "no answer from http://127.0.0.1:9: "),
        ("postgres://anna:s3cr3t@127.0.0.1/models", "postgres://127.0.0.1/models"),
        ("sqlite:///damaged.db", "damaged.db is no SQLite database, or it is damaged"),
    ],
)
def test_a_registry_that_cannot_be_used_is_named_without_its_password(address, said, uri, study, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", address)
    (study / "damaged.db").write_text("no database " * 100)

    with pytest.raises(TrackingError) as raised, registry() as (client, place):
        _ = Model(client, "digits", place).aliases

    assert said in str(raised.value)
    assert "s3cr3t" not in str(raised.value)
