import pytest

from snaketorch import __main__ as command_line
from snaketorch.errors import UserError


def test_every_step_has_help(capsys):
    for step in ("prepare", "train", "evaluate", "summarise", "report", "init-tracking", "sync"):
        with pytest.raises(SystemExit) as end:
            command_line.main([step, "--help"])
        assert end.value.code == 0
        assert f"snaketorch {step}" in capsys.readouterr().out


def test_what_a_user_can_mend_is_one_line_and_exit_code_1(monkeypatch, caplog, tmp_path):
    def fail(arguments):
        raise UserError("the window is too long")

    monkeypatch.setattr(command_line, "init_tracking", fail)
    assert command_line.main(["init-tracking", "--out", str(tmp_path / "x")]) == 1
    assert [record.getMessage() for record in caplog.records] == ["Error: the window is too long"]
    assert caplog.records[0].exc_info is None


def test_a_bug_keeps_its_traceback(monkeypatch, tmp_path):
    monkeypatch.setattr(command_line, "init_tracking", lambda arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        command_line.main(["init-tracking", "--out", str(tmp_path / "x")])


def test_sync_by_hand_reads_the_study_from_the_configuration_here(monkeypatch, tmp_path, capsys, repo):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SNAKETORCH_STUDY", raising=False)
    assert command_line.main(["sync"]) == 1  # no configuration here: said, not a traceback
    for name in ("SNAKETORCH_STUDY", "SNAKETORCH_TRACKING", "SNAKETORCH_TRACKING_URI"):
        monkeypatch.setenv(name, "to be restored")
        monkeypatch.delenv(name)
    (tmp_path / "config").symlink_to(repo / "config")
    assert command_line.main(["sync"]) == 0
    assert "there is no journal to send" in capsys.readouterr().out
