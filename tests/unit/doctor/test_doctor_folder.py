import errno
import fcntl
import re
from types import SimpleNamespace

import pytest

from snaketorch.doctor import folder as module
from snaketorch.doctor.folder import is_network, look_at_folder
from snaketorch.state.mounts import Mount


@pytest.fixture
def found(tmp_path):
    """What is found in a folder, by what it is about; it must be left as it was."""

    def look():
        findings = {finding.about: finding for finding in look_at_folder(tmp_path)}
        assert list(tmp_path.iterdir()) == []
        return findings

    return look


def test_a_good_folder_is_well_and_left_as_it_was(found):
    findings = found()
    assert {finding.status for finding in findings.values()} <= {"OK", "WARN"}
    well = {about for about, finding in findings.items() if finding.status == "OK"}
    assert {"writing", "renaming", "locks", "SQLite", "clock"} <= well


def test_a_folder_that_cannot_be_written_fails_and_nothing_more_is_tried(tmp_path):
    (tmp_path / "file").write_text("")
    (finding,) = look_at_folder(tmp_path / "file" / "folder")
    assert finding.status == "FAIL"
    assert finding.found == f"{tmp_path}/file/folder cannot be written to: Not a directory"


@pytest.mark.parametrize(("free", "status"), [(2**28, "FAIL"), (2**31, "WARN"), (2**40, "OK")])
def test_little_space_is_told(found, monkeypatch, free, status):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert found()["free space"].status == status


def test_a_file_system_without_locks_is_told(found, monkeypatch):
    def flock(file, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    locks = found()["locks"]
    assert (locks.status, locks.found) == ("WARN", "there are none: No locks available")


def test_locks_that_do_not_hold_fail(found, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", lambda file, how: None)  # this process has none, the other gets it
    locks = found()["locks"]
    assert (locks.status, locks.found) == ("FAIL", "two processes had the same lock at once")


def test_locks_that_only_this_machine_knows_are_told(found, monkeypatch):
    monkeypatch.setattr(module, "locks_are_local", lambda _: True)
    assert found()["locks"].status == "WARN"


def test_a_store_on_a_network_file_system_is_told(found, monkeypatch):
    monkeypatch.setattr(module, "mount_of", lambda _: Mount("nfs4", frozenset()))
    store = found()["SQLite"]
    assert store.status == "WARN"
    assert "MLFLOW_TRACKING_URI" in store.advice


def test_a_store_that_two_write_at_once_fails(found, monkeypatch):
    monkeypatch.setattr(module, "_other", lambda program, path: 0)
    assert found()["SQLite"].status == "FAIL"


@pytest.mark.parametrize(("ahead", "said"), [(90, r"(8\d|90)\.\d s behind"), (-5, r"[345]\.\d s ahead")])
def test_another_clock_than_the_file_systems_is_told(found, monkeypatch, ahead, said):
    now = module.time.time
    monkeypatch.setattr(module.time, "time", lambda: now() + ahead)
    clock = found()["clock"]
    assert clock.status == "WARN"
    assert re.search(said, clock.found), clock.found


@pytest.mark.parametrize(
    ("kind", "network"),
    [("ext4", False), ("tmpfs", False), ("", False), ("nfs4", True), ("lustre", True), ("fuse.sshfs", True)],
)
def test_network_file_systems_are_known(kind, network):
    assert is_network(kind) is network
