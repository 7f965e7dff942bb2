from pathlib import Path

import numpy as np
import pytest

from snaketorch.data.arrays import whole_folder, write_array


def test_an_array_is_written_with_what_the_manifest_says_of_it(tmp_path):
    transposed = np.arange(6, dtype=np.float32).reshape(2, 3).T
    entry = write_array(tmp_path / "x.npy", transposed, "arrays/x.npy")
    read = np.load(tmp_path / "x.npy")
    assert np.array_equal(read, transposed)
    assert read.flags.c_contiguous
    assert (entry.file, entry.shape, entry.dtype) == ("arrays/x.npy", (3, 2), "float32")
    assert entry.bytes == (tmp_path / "x.npy").stat().st_size


def test_objects_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        write_array(tmp_path / "x.npy", np.array([{}]), "x.npy")


def test_the_old_folder_comes_back_when_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    path = tmp_path / "arrays"
    path.mkdir()
    (path / "old.npy").write_text("old")
    rename = Path.rename

    def fail_for_the_new_folder(self, target):
        if (self / "new.npy").exists():
            raise OSError("stale file handle")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_new_folder)
    with pytest.raises(OSError, match="stale"), whole_folder(path) as folder:
        (folder / "new.npy").write_text("new")
    assert [file.name for file in tmp_path.iterdir()] == ["arrays"]
    assert [file.name for file in path.iterdir()] == ["old.npy"]
