import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snaketorch.tracking import sidecar
from snaketorch.tracking.sidecar import uploading

PASSES_ON = "import pathlib, sys; pathlib.Path('heard').write_text(sys.stdin.readline())"
TELLS_RANK = """
import os
from snaketorch.launch.place import is_started_by_slurm, is_started_here, rank_so_far
print(is_started_by_slurm(), is_started_here(), rank_so_far(), os.environ.get("SNAKETORCH_REPORT_TO"))
"""
SURVIVES = f"from signal import *; [raise_signal(number) for number in (SIGUSR1, SIGUSR2)]; {PASSES_ON}"
HANGS = "import pathlib, os, time; pathlib.Path('pid').write_text(str(os.getpid()) + '\\n'); time.sleep(600)"

# an uploader that writes down its process and each upload instead of making one
UPLOADER = """
import os, sys, time
from pathlib import Path
from snaketorch.tracking import follow
def report(folder, *_):
    with Path("uploads").open("a") as file:
        file.write("one\\n")
    return follow.Report(folder)
follow._sync = report
follow.FIRST_WAIT = 600
Path("pid").write_text(str(os.getpid()) + "\\n")
follow.follow(Path(sys.argv[2]), int(sys.argv[1]), "http://127.0.0.1:9", "digits")
"""
JOB = f"""
import os, sys, time
from pathlib import Path
from snaketorch.tracking import sidecar
sidecar.command = lambda folder: [sys.executable, "-c", {UPLOADER!r}, str(os.getpid()), str(folder)]
"""


@pytest.fixture
def folder(study, monkeypatch):
    monkeypatch.setenv("SNAKETORCH_SYNC_WAIT", "300")
    return study / "journal"


@pytest.fixture
def warnings(caplog):
    caplog.set_level(logging.INFO)
    return lambda: [entry.getMessage() for entry in caplog.records if entry.levelno >= logging.WARNING]


def uploader_is(monkeypatch, *command):
    monkeypatch.setattr(sidecar, "command", lambda folder: list(command))


def test_the_uploader_is_the_sync_command_for_this_process(folder):
    python, *arguments = sidecar.command(folder)
    assert python == sys.executable
    assert arguments == ["-m", "snaketorch", "sync", "--follow", str(os.getpid()), str(folder)]


def test_the_uploader_is_told_when_the_job_has_finished(folder, monkeypatch, warnings):
    uploader_is(monkeypatch, sys.executable, "-c", PASSES_ON)
    with uploading(folder):
        assert not (folder.parent / "heard").exists()
    assert (folder.parent / "heard").read_text() == "finish\n"
    assert warnings() == []


def test_an_uploader_that_hangs_is_given_up_with_one_warning(folder, monkeypatch, warnings):
    uploader_is(monkeypatch, sys.executable, "-c", HANGS)
    monkeypatch.setenv("SNAKETORCH_SYNC_WAIT", "0.5")
    with uploading(folder):
        uploader = uploader_of(folder)
    [warning] = warnings()
    assert "was not done 0.5 s after the job" in warning
    assert "python -m snaketorch sync" in warning
    with pytest.raises(ProcessLookupError):
        os.kill(uploader, 0)


@pytest.mark.parametrize("command", [["/no/such/program"], [sys.executable, "-c", "raise SystemExit(1)"]])
def test_an_uploader_that_fails_is_a_warning(folder, monkeypatch, warnings, command):
    uploader_is(monkeypatch, *command)
    with uploading(folder):
        pass
    [warning] = warnings()
    assert "python -m snaketorch sync" in warning


def test_what_the_uploader_says_is_kept_beside_the_journal(folder, monkeypatch):
    uploader_is(monkeypatch, sys.executable, "-c", "print('hello')")
    for _ in range(2):
        with uploading(folder):
            pass
    assert (folder / "sync.log").read_text() == "hello\nhello\n"


def test_the_uploader_of_a_rank_is_no_rank(folder, monkeypatch):
    uploader_is(monkeypatch, sys.executable, "-c", TELLS_RANK)
    variables = {"RANK_OF": "7", "REPORT_TO": "n1:15000:word", "LOCAL_RANK": "1", "LISTENER": "3"}
    for name, value in variables.items():
        monkeypatch.setenv(f"SNAKETORCH_{name}", value)
    monkeypatch.setenv("SLURM_PROCID", "2")
    monkeypatch.setenv("NODE_RANK", "1")
    with uploading(folder):
        pass
    assert (folder / "sync.log").read_text() == "False False 0 None\n"


def test_signals_for_trainings_do_not_kill_the_uploader(folder, monkeypatch, warnings):
    uploader_is(monkeypatch, sys.executable, "-c", SURVIVES)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with uploading(folder):
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    assert (folder.parent / "heard").read_text() == "finish\n"
    assert warnings() == []


def test_an_error_of_the_job_stays_as_it_is(folder, monkeypatch):
    uploader_is(monkeypatch, sys.executable, "-c", "raise SystemExit(1)")
    with pytest.raises(KeyError, match="mine"), uploading(folder):
        raise KeyError("mine")


def test_nothing_is_started_where_tracking_is_off_or_mlflow_is_missing(folder, monkeypatch, warnings):
    monkeypatch.setattr(sidecar.subprocess, "Popen", None)
    with monkeypatch.context() as patch:
        patch.setenv("SNAKETORCH_TRACKING", "off")
        with uploading(folder):
            pass
    monkeypatch.setattr(sidecar, "find_spec", lambda name: None)
    with uploading(folder):
        pass
    assert warnings() == []


def test_a_folder_that_cannot_be_written_does_not_disturb_the_job(folder, warnings):
    folder.write_text("in the way")
    with uploading(folder):
        pass
    assert len(warnings()) == 1


@pytest.mark.parametrize("text", ["inf", "1e30"])
def test_a_wait_without_end_is_one_that_the_system_knows(text, folder, monkeypatch, warnings):
    monkeypatch.setenv("SNAKETORCH_SYNC_WAIT", text)
    monkeypatch.setattr(sidecar, "command", lambda _: [sys.executable, "-c", ""])
    with uploading(folder):
        pass
    assert warnings() == []


@pytest.mark.parametrize(("text", "seconds"), [("3", 3), ("0", 0), ("-1", 0), ("soon", 20), ("", 20), (None, 20)])
def test_the_wait_at_the_end_can_be_set(monkeypatch, text, seconds):
    if text is None:
        monkeypatch.delenv("SNAKETORCH_SYNC_WAIT", raising=False)
    else:
        monkeypatch.setenv("SNAKETORCH_SYNC_WAIT", text)
    assert sidecar.sync_wait() == seconds


def test_the_uploader_of_a_killed_job_uploads_once_more_and_ends(folder):
    block = """
with sidecar.uploading(Path("journal")):
    time.sleep(600)
"""
    job = subprocess.Popen([sys.executable, "-c", JOB + block])
    uploader = uploader_of(folder)
    job.kill()
    job.wait()
    wait_for(lambda: not is_alive(uploader))
    assert (folder.parent / "uploads").read_text() == "one\n"


def test_the_uploader_of_a_killed_job_does_not_stay_behind_when_its_last_upload_hangs(folder, monkeypatch):
    monkeypatch.setenv("SNAKETORCH_SYNC_WAIT", "1")
    block = """
with sidecar.uploading(Path("journal")):
    time.sleep(600)
"""
    hanging = JOB.replace("return follow.Report", "time.sleep(600); return follow.Report")
    job = subprocess.Popen([sys.executable, "-c", hanging + block])
    uploader = uploader_of(folder)
    job.kill()
    job.wait()
    wait_for(lambda: not is_alive(uploader))


def test_an_uploader_that_starts_after_its_job_has_died_does_not_stay_behind(folder, monkeypatch):
    monkeypatch.setenv("SNAKETORCH_SYNC_WAIT", "3")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    hanging = UPLOADER.replace("return follow.Report", "time.sleep(600); return follow.Report")
    with subprocess.Popen(
        [sys.executable, "-c", hanging, str(dead.pid), str(folder)], stdin=subprocess.PIPE
    ) as uploader:
        assert uploader.wait(300) == -signal.SIGALRM
    assert (folder.parent / "uploads").read_text() == "one\n"


def test_a_worker_that_outlives_the_job_does_not_hold_up_its_end(folder):
    block = """
with sidecar.uploading(Path("journal")):
    worker = os.fork()
    if worker == 0:
        time.sleep(600)
os.kill(worker, 9)
"""
    done = subprocess.run(
        [sys.executable, "-c", JOB + block], stderr=subprocess.PIPE, text=True, timeout=600, check=True
    )
    assert done.stderr == "", "it waits for the uploader until it has to give up"
    assert (folder.parent / "uploads").read_text() == "one\n"


def test_neither_side_imports_mlflow_for_a_job_that_is_still_short():
    check = "import snaketorch.tracking.sidecar, snaketorch.tracking.follow, sys; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def uploader_of(folder):
    """The process of the uploader, once it has written it down."""
    file = folder.parent / "pid"
    wait_for(lambda: file.exists() and file.read_text().endswith("\n"))
    return int(file.read_text())


def wait_for(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
