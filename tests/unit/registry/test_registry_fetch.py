"""A registered model's bundle comes to this machine, whole or not at all."""

import shutil
from pathlib import Path

import pytest

from snaketorch.errors import UserError
from snaketorch.inference.bundle import bundle_sha256
from snaketorch.registry.fetch import fetch_bundle
from snaketorch.tracking.store import connect


@pytest.fixture
def stored(tmp_path, uri, monkeypatch) -> Path:
    """A bundle as version 1, the champion, of the model `some`; version 2 is none of ours."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    bundle = tmp_path / "store/artifacts/bundle"
    (bundle / "code/my_lab").mkdir(parents=True)
    (bundle / "bundle.json").write_text('{"format": 1}')
    (bundle / "code/my_lab/nets.py").write_text("")
    client = connect(uri)
    client.create_registered_model("some")
    tags = {"snaketorch.bundle_sha256": bundle_sha256(bundle)}
    client.create_model_version("some", str(tmp_path / "store"), tags=tags)
    client.create_model_version("some", str(tmp_path / "store"))
    client.set_registered_model_alias("some", "champion", "1")
    return bundle


def test_a_bundle_is_fetched_once(stored):
    found = fetch_bundle("models:/some@champion")

    assert found.parent == Path("state/bundles")
    assert (found / "bundle.json").read_text() == '{"format": 1}'
    assert (found / "code/my_lab/nets.py").is_file()
    (stored / "bundle.json").unlink()
    assert fetch_bundle("models:/some/1") == found


def test_a_folder_called_databricks_is_no_workspace(stored, uri, tmp_path, monkeypatch):
    database = tmp_path / "databricks-course/mlflow.db"
    database.parent.mkdir()
    shutil.copyfile(uri.removeprefix("sqlite:///"), database)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")

    assert (fetch_bundle("models:/some@champion") / "bundle.json").read_text() == '{"format": 1}'


def test_a_copy_that_was_damaged_is_fetched_again(stored):
    (fetch_bundle("models:/some/1") / "bundle.json").write_text("{}")

    assert (fetch_bundle("models:/some/1") / "bundle.json").read_text() == '{"format": 1}'


def test_a_store_that_was_moved_is_told(stored, uri, tmp_path):
    gone = tmp_path / "gone"
    tags = {"snaketorch.bundle_sha256": "0" * 64}
    connect(uri).create_model_version("some", gone.as_uri(), tags=tags)

    with pytest.raises(UserError, match=f"version 3 of 'some' is registered with files in {gone}, and there is no"):
        fetch_bundle("models:/some/3")


def test_what_was_changed_in_the_store_is_refused(stored):
    (stored / "bundle.json").write_text('{"format": 1, "more": 2}')

    with pytest.raises(UserError, match=r"version 1 of 'some' is not the bundle that was registered \(SHA-256\)"):
        fetch_bundle("models:/some/1")
    assert not list(Path("state/bundles").iterdir())


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("models:/some/3", "'some' has no version 3; allowed: 1, 2"),
        ("models:/some/2", "version 2 was not registered by Snaketorch: it has no bundle"),
        ("models:/some@chief", "no version of 'some' is called chief; allowed: champion"),
        ("models:/other@champion", "there is no registered model 'other'"),
        ("some", "--model: some is neither the folder of a bundle nor the address of a registered model"),
        ("models:/some", "allowed: models:/NAME@champion, models:/NAME/3, or a folder"),
    ],
)
def test_what_is_not_there_is_told(stored, address, said):
    with pytest.raises(UserError, match=said):
        fetch_bundle(address)
