import json

import pytest

from snaketorch.provenance import file_sha256
from snaketorch.status import fingerprints
from snaketorch.status.fingerprints import Fingerprints


@pytest.fixture
def memory(tmp_path):
    return tmp_path / "state/digests.json"


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprints, "SETTLED_SECONDS", -1.0)
    path = tmp_path / "model.ckpt"
    path.write_text("weights")
    return path


@pytest.fixture
def read(monkeypatch):
    """The files that were read."""
    found = []
    monkeypatch.setattr(fingerprints, "file_sha256", lambda path: found.append(path.name) or file_sha256(path))
    return found


def test_a_file_is_read_once(file, memory, read):
    for _ in range(2):
        sha256 = Fingerprints(memory)
        assert sha256(file) == sha256(file) == file_sha256(file)
        sha256.remember({})

    assert read == ["model.ckpt"]


def test_a_file_of_the_same_size_that_was_replaced_is_read_again(file, memory, read):
    sha256 = Fingerprints(memory)
    before = sha256(file)
    sha256.remember({})
    other = file.with_name("other")
    other.write_text("WEIGHTS")
    other.replace(file)

    assert Fingerprints(memory)(file) == file_sha256(file) != before


def test_verification_reads_everything_again(file, memory, read):
    sha256 = Fingerprints(memory)
    sha256(file)
    sha256.remember({})

    Fingerprints(memory, verify=True)(file)
    assert read == ["model.ckpt"] * 2


def test_a_file_that_changed_a_moment_ago_is_not_remembered(file, memory, monkeypatch):
    monkeypatch.setattr(fingerprints, "SETTLED_SECONDS", 60.0)
    sha256 = Fingerprints(memory)
    sha256(file)
    sha256.remember({})

    assert json.loads(memory.read_text())["files"] == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": {}}'])
def test_a_damaged_memory_is_none(text, file, memory):
    memory.parent.mkdir()
    memory.write_text(text)

    assert Fingerprints(memory)(file) == file_sha256(file)


def test_a_folder_that_cannot_be_written_only_costs_time(file, tmp_path):
    (tmp_path / "state").write_text("a file")
    sha256 = Fingerprints(tmp_path / "state/digests.json")
    sha256(file)

    sha256.remember({})
