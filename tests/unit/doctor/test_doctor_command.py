import json

import pytest

from snaketorch import __main__ as command_line
from snaketorch.doctor import command
from snaketorch.doctor.finding import fail, ok, warn
from snaketorch.doctor.slurm import Partition


@pytest.fixture
def looks(monkeypatch, tmp_path):
    """Replaces what is looked at, but for Slurm, whose partition comes with it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    for name in ("software", "machine", "devices"):
        monkeypatch.setattr(command, f"look_at_{name}", lambda: [ok("all", "well")])
    monkeypatch.setattr(command, "look_at_study", lambda folder: [warn("MLflow", "away", "look for it")])

    def with_folder(*findings):
        monkeypatch.setattr(command, "look_at_folder", lambda folder: findings)

    def slurm(cluster):
        cluster.partitions = [Partition("main", True, True, 60)]
        yield ok("partitions", "main")

    monkeypatch.setattr(command, "look_at_slurm", slurm)
    return with_folder


def test_every_finding_is_a_line_with_what_to_do_below(looks, capsys):
    looks(ok("space", "much"))
    assert command_line.main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  OK    space: much" in lines
    place = lines.index("  WARN  MLflow: away")
    assert lines[place + 1] == "        -> look for it"
    assert "5 OK, 1 WARN, 0 FAIL" in lines
    assert lines[-4] == "default-resources:"


def test_what_fails_is_in_the_exit_code(looks, capsys, caplog):
    looks(fail("space", "none", "make some"), ok("locks", "fine"))
    assert command_line.main(["doctor"]) == 1
    assert "  FAIL  space: none\n        -> make some" in capsys.readouterr().out
    assert caplog.messages[0].startswith("Error: 1 of what was looked at must be mended")


def test_programs_get_all_as_json(looks, capsys):
    looks(fail("space", "none", "make some"))
    assert command_line.main(["doctor", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["findings"]["folder"] == [{"status": "FAIL", "about": "space", "found": "none", "advice": "make some"}]
    assert said["profile"].startswith("default-resources:")


def test_inside_a_job_no_profile_is_proposed(looks, capsys, monkeypatch):
    looks()
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    assert command_line.main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["profile"] is None


def test_a_look_that_goes_wrong_does_not_hide_the_others(looks, capsys, monkeypatch):
    looks(ok("space", "much"))
    monkeypatch.setattr(command, "look_at_machine", lambda: 1 / 0)
    assert command_line.main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "WARN  machine: could not be looked at: ZeroDivisionError" in said
    assert "OK    space: much" in said
