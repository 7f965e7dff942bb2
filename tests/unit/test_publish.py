import json
import os
from pathlib import Path

import pytest

from snaketorch.publish import whole_file, whole_folder, write_json, write_text


def test_a_file_appears_whole_and_alone(tmp_path):
    write_text(tmp_path / "new" / "note.txt", "grüße")
    assert (tmp_path / "new/note.txt").read_text("utf-8") == "grüße"
    assert os.listdir(tmp_path / "new") == ["note.txt"]


def test_an_error_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "note.txt"
    write_text(path, "old")
    with pytest.raises(ZeroDivisionError), whole_file(path) as temporary:
        temporary.write_text("half of the n")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["note.txt"]


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "note.txt"
    write_text(path, "old")
    with whole_file(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == path.parent  # a rename over file systems would be a copy
        assert temporary.suffix == path.suffix
    assert path.read_text() == "new"


def test_names_of_files_that_are_no_text_are_read_back_as_they_were(tmp_path):
    name = os.fsdecode(b"caf\xe9\\ \xff.png")
    write_json(tmp_path / "names.json", [name, "größer"])

    assert json.loads((tmp_path / "names.json").read_text("utf-8")) == [name, "größer"]


def test_numbers_that_json_cannot_hold_are_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "bad.json", {"loss": float("nan")})
    assert not os.listdir(tmp_path)
    write_json(tmp_path / "good.json", {"loss": None, "name": "é"})
    assert json.loads((tmp_path / "good.json").read_text("utf-8")) == {"loss": None, "name": "é"}


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
