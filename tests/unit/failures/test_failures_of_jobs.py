"""The command line as the workflow calls it: notes, attempts, one log, and what is not tried again."""

import errno
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from snaketorch import __main__ as command_line
from snaketorch.errors import DataError, OutOfTime, UserError
from snaketorch.failures.jobs import by_hand
from snaketorch.failures.notes import read_note
from snaketorch.failures.summary import begin_run, failures_of_run, healed_in_run
from snaketorch.state.attempts import Attempts

SPEC = {"experiment": "cnn", "seed": 3}
NOTE = Path("state/failures/train/cnn/seed-3.json")
LOG = "logs/train_model/cnn/seed-3.log"


@pytest.fixture(autouse=True)
def study(tmp_path, monkeypatch):
    """A folder of its own; nothing of what steps ask for is imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command_line.parent, "end_with_parent", lambda *_: None)
    return tmp_path


def attempt(monkeypatch, number: int, error: BaseException | None = None, **spec) -> int:
    """The exit code of an attempt at a training, which raises ``error``."""

    def train(_):
        calls.append(number)
        if error:
            raise error

    calls.clear()
    monkeypatch.setattr("snaketorch.commands.train.train", train)
    files = [f"--{name}=x" for name in ("manifest", "state", "model", "history", "record", "samples")]
    words = ["train", "--spec", json.dumps(SPEC | spec), *files, "--attempt", str(number), "--log", LOG]
    return command_line.main(words)


calls: list[int] = []


def test_a_failure_is_noted_and_the_note_goes_with_the_next_success(monkeypatch):
    assert attempt(monkeypatch, 1, OSError(errno.EIO, "Input/output error", "results/x")) == 1

    note = read_note(NOTE)
    assert (note.step, note.job, note.kind, note.attempt) == ("train", "cnn/seed-3", "input_output", 1)
    assert note.retried
    assert note.message == "results/x: Input/output error"
    assert note.log == LOG

    assert attempt(monkeypatch, 2) == 0
    assert calls == [2]
    assert read_note(NOTE) is None


@pytest.mark.parametrize("error", [KeyError("x"), UserError("wrong key"), DataError("no rows")])
def test_what_every_attempt_would_meet_is_not_tried_again(error, monkeypatch, caplog):
    assert attempt(monkeypatch, 1, error) == 1
    first = read_note(NOTE)

    for number in (2, 3, 4):
        caplog.clear()
        assert attempt(monkeypatch, number) == 1
        assert calls == []
        assert any("Not tried again" in message and first.message in message for message in caplog.messages)
    assert read_note(NOTE).message == first.message
    assert read_note(NOTE).traceback == first.traceback


def test_it_is_tried_again_when_the_workflow_is_started_again(monkeypatch):
    attempt(monkeypatch, 1, UserError("wrong key"))

    assert attempt(monkeypatch, 1) == 0
    assert calls == [1]


def test_it_is_tried_again_when_what_the_job_does_has_changed(monkeypatch):
    attempt(monkeypatch, 1, UserError("wrong key"))

    assert attempt(monkeypatch, 2, key="right") == 0
    assert calls == [2]


def test_an_old_note_says_nothing_about_the_attempt_before(monkeypatch):
    """Attempt 1 of the run before left it; attempt 1 of this run was killed before it began."""
    for number in (1, 2, 3):
        attempt(monkeypatch, number, UserError("wrong key"))

    assert attempt(monkeypatch, 2) == 0
    assert calls == [2]


def test_what_ends_before_its_time_says_so_by_its_exit_code(monkeypatch):
    assert attempt(monkeypatch, 1, OutOfTime("saved")) == 75
    assert read_note(NOTE).retried


def test_a_bug_is_told_with_its_traceback_and_whose_it_is(monkeypatch, caplog):
    attempt(monkeypatch, 1, KeyError("x"))

    traceback, whose = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert traceback.startswith("Traceback (most recent call last):")
    assert traceback.endswith("KeyError: 'x'")
    assert whose.startswith(f"The error is in your own module: {Path(__file__)}, line "), "as it is raised here"


def test_an_error_of_the_system_is_told_without_a_traceback(monkeypatch, caplog):
    attempt(monkeypatch, 1, OSError(errno.ENOSPC, "No space left on device", str(Path.cwd() / "x")))

    said = [record.getMessage() for record in caplog.records]
    assert said[0].startswith("Error: Disk full: ")
    assert said[1].startswith("What to do: free some space")
    assert len(said) == 2
    assert all(record.exc_info is None for record in caplog.records)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["prepare", "--spec", '{"dataset": "digits"}', "--manifest=x", "--preview=x", "--arrays=x"], "prepare/digits"),
        (["summarise", "--spec", '{"experiment": "cnn"}', "--summary=x", "--config=x"], "summarise/cnn"),
        (["preview-augmentation", "--spec", '{"experiment": "cnn", "seed": 0}'], "preview-augmentation/cnn"),
        (["report", "--spec", '{"study": "small"}', "--results=x", "--out=x"], "report/study"),
        (["init-tracking", "--out=x"], "init-tracking/study"),
        (["prepare", "--spec", "no JSON", "--manifest=x", "--preview=x", "--arrays=x"], "prepare/study"),
    ],
)
def test_jobs_of_every_step_have_names(words, name, monkeypatch):
    def fail(_):
        raise UserError("wrong")

    step = words[0].replace("-", "_")
    monkeypatch.setattr(f"snaketorch.commands.{step}.{step}", fail)
    more = {"summarise": ["--metrics", "x", "--records", "x"], "preview-augmentation": ["--manifest=x", "--figure=x"]}

    assert command_line.main([*words, *more.get(words[0], []), "--attempt", "1"]) == 1
    assert [path.as_posix() for path in Path("state/failures").rglob("*.json")] == [f"state/failures/{name}.json"]


def test_predictions_of_several_datasets_are_several_jobs(monkeypatch):
    def predict(arguments):
        if json.loads(arguments.spec)["dataset"] == "old":
            raise UserError("no rows")

    monkeypatch.setattr("snaketorch.commands.predict_dataset.predict_dataset", predict)
    files = [f"--{name}=x" for name in ("bundle", "state", "predictions", "bad", "record")]
    for dataset in ("old", "new"):
        spec = json.dumps({"experiment": "cnn", "dataset": dataset})
        command_line.main(["predict-dataset", "--spec", spec, *files, "--attempt", "1"])

    assert "predict-dataset cnn/old\n" in failures_of_run(Path())
    assert read_note(Path("state/failures/predict-dataset/cnn/old.json")).message == "no rows"


def test_a_step_by_hand_leaves_no_notes(monkeypatch):
    monkeypatch.setattr("snaketorch.commands.init_tracking.init_tracking", lambda _: None)

    assert command_line.main(["init-tracking", "--out", "x"]) == 0
    assert not Path("state").exists()


def test_a_command_to_repeat_by_hand_is_no_attempt_of_a_workflow():
    words = ["train", "--state", "x", "--attempt", "2", "--log", "logs/a b.log", "--runtime", "60"]

    assert by_hand(words) == ["train", "--state", "x", "--runtime", "60"]


def run_and_log(number: int, ends: str) -> str:
    """An attempt in a process of its own, as Snakemake starts it; what its log holds then."""
    Path(LOG).unlink(missing_ok=True)  # Snakemake does that
    Path(LOG).parent.mkdir(parents=True, exist_ok=True)
    program = (
        "import os, sys\n"
        "from snaketorch.errors import Interrupted\n"
        "from snaketorch import __main__ as command_line\n"
        "from snaketorch.commands import init_tracking as module\n"
        "def init_tracking(_):\n"
        f"    print('attempt {number} works', flush=True)\n"
        f"    {ends}\n"
        "module.init_tracking = init_tracking\n"
        f"sys.exit(command_line.main(['init-tracking', '--out=x', '--attempt={number}', '--log={LOG}']))"
    )
    with Path(LOG).open("wb") as log:
        subprocess.run([sys.executable, "-c", program], stdout=log, stderr=log, timeout=300, env=dict(os.environ))
    return Path(LOG).read_text()


def test_the_log_holds_what_earlier_attempts_said_also_those_that_were_killed():
    assert "attempt 1 works" in run_and_log(1, "os.kill(os.getpid(), 9)")

    second = run_and_log(2, "raise Interrupted('told to end')")
    assert second.index("attempt 1 works") < second.index("===== Attempt 2, on ") < second.index("attempt 2 works")
    assert "The one before: the job was killed, or crashed. =====" in second

    third = run_and_log(3, "pass")
    assert third.startswith(second)
    assert third.count("=====") == 4
    assert "attempt 3 works" in third

    assert "Attempt" not in run_and_log(1, "pass"), "a new run of the workflow, a new log"


def test_the_summary_says_what_failed_what_to_do_and_where_it_is_told(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    begin_run(Path())
    attempt(monkeypatch, 1, OSError(errno.EIO, "Input/output error", "results/x"))
    attempt(monkeypatch, 2, OSError(errno.EIO, "Input/output error", "results/x"))

    said = failures_of_run(Path(), [LOG])

    assert said.splitlines()[:4] == [
        "",
        "1 job failed:",
        "",
        "  train cnn, seed 3",
    ]
    assert "what   a file could not be read or written (2 attempts): results/x: Input/output error" in said
    assert "to do  look at whether the file" in said
    assert f"log    {LOG}" in said
    assert max(map(len, said.splitlines())) <= 100


def test_jobs_that_failed_of_the_same_are_told_together(monkeypatch):
    for seed in range(12):
        attempt(monkeypatch, 1, UserError("model.hidden does not fit\nin detail"), seed=seed)

    said = failures_of_run(Path())

    assert "12 jobs failed:" in said
    assert said.count("model.hidden does not fit") == 1
    assert "in detail" not in said
    assert all(f"train cnn, seed {seed}\n" in said for seed in range(12))


def test_a_job_that_was_killed_is_in_the_summary(monkeypatch):
    attempt(monkeypatch, 1)
    path = Path("state/jobs/train/cnn/seed-3.json")
    content = json.loads(path.read_text())
    content["attempts"][0] |= {"ended": None}
    path.write_text(json.dumps(content))

    assert "the job was killed, or crashed: process " in failures_of_run(Path())


def test_a_job_that_could_not_begin_is_in_the_summary_by_its_log(monkeypatch):
    attempt(monkeypatch, 1, UserError("wrong"))

    said = failures_of_run(Path(), [LOG, "logs/prepare_dataset/digits.log"])

    assert "2 jobs failed:" in said
    assert "logs/prepare_dataset/digits.log" in said
    assert "it ended before it began" in said
    assert "none left word of why" in failures_of_run(Path("elsewhere"))


def test_a_job_without_room_for_a_note_is_told_of_by_the_last_error_in_its_log():
    Path("logs").mkdir()
    Path("logs/x.log").write_text(
        "20:00:00  Error: the first\n20:00:01  Error: state is read-only\n20:00:02  What to do\n"
    )

    said = failures_of_run(Path(), ["logs/x.log"])

    assert "what   state is read-only\n" in said
    assert "results/report.html" not in said


def test_a_study_page_that_is_there_is_said_to_be_an_earlier_one(monkeypatch):
    attempt(monkeypatch, 1, UserError("wrong"))
    Path("results").mkdir()
    Path("results/report.html").touch()

    assert "results/report.html was not made anew" in failures_of_run(Path())


def test_failures_of_earlier_runs_are_not_told_again(monkeypatch):
    attempt(monkeypatch, 1, UserError("wrong"))

    begin_run(Path())

    assert "wrong" not in failures_of_run(Path())
    assert read_note(NOTE), "`status` tells it still"


def test_what_healed_itself_is_told_in_one_line(monkeypatch):
    attempt(monkeypatch, 1)
    assert healed_in_run(Path()) == ""

    attempt(monkeypatch, 1, MemoryError())
    attempt(monkeypatch, 2)

    expected = "train cnn, seed 3: the host's memory is full; done at attempt 2"
    assert healed_in_run(Path()).splitlines() == [
        "",
        "1 job failed at first and was done when tried again:",
        f"  {expected}",
        "",
    ]
    attempt(monkeypatch, 1, UserError("wrong"), seed=4)
    assert expected in failures_of_run(Path())


def test_notes_that_cannot_be_understood_are_none(monkeypatch):
    attempt(monkeypatch, 1, UserError("wrong"))
    NOTE.write_text('{"kind": "from the future"}')

    assert read_note(NOTE) is None
    assert attempt(monkeypatch, 2) == 0


def test_a_failure_over_a_file_whose_name_is_no_text_is_noted(monkeypatch):
    file = os.fsdecode(b"photos/caf\xe9.png")
    assert attempt(monkeypatch, 1, PermissionError(errno.EACCES, "Permission denied", file)) == 1

    assert read_note(NOTE).message == r"photos/caf\udce9.png: Permission denied"
    assert attempt(monkeypatch, 2) == 1
    assert calls == []


def test_a_folder_that_cannot_be_written_does_not_stop_a_job(monkeypatch, caplog):
    Path("state").write_text("a file where a folder should be")

    assert attempt(monkeypatch, 1) == 0
    assert calls == [1]
    assert any("could not be written" in message for message in caplog.messages)
    assert Attempts.read(Path("state/jobs/train/cnn/seed-3.json")).all == []
