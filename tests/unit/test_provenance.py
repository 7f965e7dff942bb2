import subprocess

import pytest

from snaketorch import __version__, provenance


def test_equal_values_have_one_text_and_one_digest():
    one = {"b": [1, 2.0, None], "a": {"y": True, "x": "é"}}
    two = {"a": {"x": "é", "y": True}, "b": [1, 2.0, None]}
    assert provenance.canonical_json(one) == r'{"a":{"x":"\u00e9","y":true},"b":[1,2.0,null]}'
    assert provenance.digest(one) == provenance.digest(two)
    assert provenance.digest(one) != provenance.digest({**one, "b": [2.0, 1, None]})
    assert len(provenance.digest(one)) == 16


def test_nan_has_no_digest():
    with pytest.raises(ValueError, match="JSON"):
        provenance.digest({"loss": float("nan")})


def test_a_file_is_known_by_its_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert provenance.file_sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_versions_name_what_is_installed_and_leave_out_what_is_not():
    found = provenance.versions(["pydantic", "no-such-package"])
    assert set(found) == {"python", "snaketorch", "pydantic"}
    assert found["snaketorch"] == __version__


def test_git_says_which_commit_and_whether_files_differ(tmp_path):
    def git(*arguments):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )

    assert provenance.git_state(tmp_path) is None
    git("init")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-m", "first")
    state = provenance.git_state(tmp_path)
    assert len(state["commit"]) == 40
    assert state["dirty"] is False
    (tmp_path / "new").write_text("x")
    assert provenance.git_state(tmp_path)["dirty"] is True
    (tmp_path / "new").unlink()
    (tmp_path / "file").write_text("two")
    assert provenance.git_state(tmp_path)["dirty"] is True


def test_a_slurm_job_is_part_of_the_host(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert "slurm" not in provenance.host()
    monkeypatch.setenv("SLURM_JOB_ID", "42")
    assert provenance.host()["slurm"] == {"SLURM_JOB_ID": "42"}
