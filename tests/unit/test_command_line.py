from importlib import import_module

import pytest

from snaketorch import __main__ as command_line
from snaketorch.commands import MODULES
from snaketorch.commands.parser import build_parser
from snaketorch.errors import UserError


def test_every_step_has_help(capsys):
    for step in (name.replace("_", "-") for name in MODULES):
        with pytest.raises(SystemExit) as end:
            command_line.main([step, "--help"])
        assert end.value.code == 0
        assert f"snaketorch {step}" in capsys.readouterr().out


def test_a_module_and_a_function_have_the_name_of_their_command():
    steps = next(action for action in build_parser()._actions if action.dest == "step").choices
    assert [name.replace("-", "_") for name in steps] == MODULES
    for name, step in zip(MODULES, steps.values(), strict=True):
        assert step.get_default("run") is getattr(import_module(f"snaketorch.commands.{name}"), name)


def test_what_a_user_can_mend_is_one_line_and_exit_code_1(monkeypatch, caplog, tmp_path):
    def fail(arguments):
        raise UserError("the window is too long")

    monkeypatch.setattr("snaketorch.commands.init_tracking.init_tracking", fail)
    assert command_line.main(["init-tracking", "--out", str(tmp_path / "x")]) == 1
    assert [record.getMessage() for record in caplog.records] == ["Error: the window is too long"]
    assert caplog.records[0].exc_info is None


def test_a_bug_keeps_its_traceback(monkeypatch, caplog, tmp_path):
    monkeypatch.setattr("snaketorch.commands.init_tracking.init_tracking", lambda arguments: 1 / 0)
    assert command_line.main(["init-tracking", "--out", str(tmp_path / "x")]) == 1
    said = [record.getMessage() for record in caplog.records]
    assert said[0].startswith("Traceback (most recent call last):")
    assert said[0].endswith("ZeroDivisionError: division by zero")
    assert "test_command_line.py, line " in said[1]


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


def test_a_training_is_started_over_by_its_name_in_the_configuration_here(monkeypatch, tmp_path, capsys, caplog, repo):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").symlink_to(repo / "config")
    folder = tmp_path / "state/train/digits_cnn/seed-0/digest"
    folder.mkdir(parents=True)
    assert command_line.main(["start-over", "digits_cnn", "--seed", "0"]) == 0
    assert "put aside in state/set-aside/digits_cnn/seed-0/digest-" in capsys.readouterr().out
    assert not folder.exists()
    assert command_line.main(["start-over", "digits_cn"]) == 1
    assert "there is no experiment 'digits_cn'; allowed: digits_" in caplog.messages[-1]
