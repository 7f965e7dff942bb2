import errno
import os
from collections import namedtuple

import pytest

from snaketorch.errors import DiskFull, UserError
from snaketorch.state import probe
from snaketorch.state.probe import probe_room, probe_writable

Usage = namedtuple("Usage", ["total", "used", "free"])


@pytest.fixture
def free(monkeypatch):
    """Says how much room a disk has."""
    return lambda count: monkeypatch.setattr(probe.shutil, "disk_usage", lambda folder: Usage(10**9, 0, count))


def test_a_folder_that_can_be_written_to_is_made_and_left_empty(tmp_path):
    probe_writable(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_written_to_is_named(tmp_path, monkeypatch, code):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(probe.os, "fsync", refuse)
    with pytest.raises(
        UserError, match=f"{tmp_path}, where the training keeps .* cannot be written to: {os.strerror(code)}"
    ):
        probe_writable(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(UserError, match="cannot be written to: Not a directory"):
        probe_writable(tmp_path / "state" / "train")


def test_a_full_disk_is_called_so(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(probe.os, "fsync", refuse)
    with pytest.raises(DiskFull, match="is full: No space left on device"):
        probe_writable(tmp_path)


def test_a_failing_disk_is_no_matter_of_the_user(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(probe.os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output error"):
        probe_writable(tmp_path)


def test_three_checkpoints_must_fit(tmp_path, free):
    free(3000)
    probe_room(tmp_path, 1000)
    free(2999)
    with pytest.raises(DiskFull) as caught:
        probe_room(tmp_path, 1000)
    assert str(caught.value) == (
        f"{tmp_path} has 2,999 bytes free, and the training needs 3,000 there: 3 checkpoints of about 1,000 bytes each"
        "; free some space, or put state/ on another disk"
    )


def test_checkpoints_that_are_there_count_but_one_more_must_always_fit(tmp_path, free):
    for number in range(2):
        (tmp_path / f"step-{number}.ckpt").write_bytes(bytes(2000))
    free(1000)
    probe_room(tmp_path, 1000)
    free(999)
    with pytest.raises(DiskFull, match=r"needs 1,000 there: .*, of which 4,000 bytes are there"):
        probe_room(tmp_path, 1000)
