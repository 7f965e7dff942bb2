import os
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from snaketorch.training import deadline
from snaketorch.training.deadline import Deadline, deadline_of_job


def answering(tmp_path, monkeypatch, script: str) -> None:
    """Puts a `squeue` on the PATH."""
    command = tmp_path / "squeue"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)


def squeue_says(start: int, end: int) -> str:
    """Commands that write times as Slurm does: those of the time zone in the environment."""
    return f'echo "$(date -d @{start} +%Y-%m-%dT%H:%M:%S)|$(date -d @{end} +%Y-%m-%dT%H:%M:%S)"'


def test_slurm_says_when_its_job_started_and_when_it_is_ended(tmp_path, monkeypatch):
    start = int(time.time()) - 20
    end = start + 600
    answering(tmp_path, monkeypatch, f'case "$*" in *--jobs=7*) {squeue_says(start, end)};; *) exit 1;; esac')
    found = deadline_of_job(1000, {"SLURM_JOB_ID": "7"})
    assert (found.start, found.end, found.enforced) == (start, end, True)
    assert 500 < found.left <= 580


def test_a_job_that_runs_while_the_clock_is_put_back_has_all_of_its_time(tmp_path, monkeypatch):
    start = datetime(2026, 10, 25, 0, 45, tzinfo=UTC).timestamp()  # 2:45 in summer time, until 2:15 in winter time
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    monkeypatch.setenv("SLURM_TIME_FORMAT", "relative")
    relative = '[ "${SLURM_TIME_FORMAT:-standard}" = standard ] || { echo "02:45|02:15"; exit; }'
    answering(tmp_path, monkeypatch, f"{relative}\n{squeue_says(int(start), int(start) + 1800)}")
    time.tzset()
    try:
        found = deadline_of_job(1000, {"SLURM_JOB_ID": "7"})
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (found.start, found.end) == (start, start + 1800)


@pytest.mark.parametrize("script", ["exit 1", "echo 'N/A|N/A'", "echo nothing", ""])
def test_without_an_answer_of_slurm_the_runtime_counts_from_the_start_of_the_process(script, tmp_path, monkeypatch):
    answering(tmp_path, monkeypatch, script)
    found = deadline_of_job(60, {"SLURM_JOB_ID": "7"})
    assert (found.total, found.enforced) == (3600, True)
    assert found.start == pytest.approx(deadline.process_start(), abs=1)


@pytest.mark.parametrize("variable", ["PBS_JOBID", "LSB_JOBID", "JOB_ID"])
def test_a_batch_job_ends_when_its_runtime_has_passed_since_it_started(variable):
    found = deadline_of_job(60, {variable: "7", "SGE_TASK_ID": "undefined"})
    assert found.enforced
    assert found.total == 3600
    assert found.start == pytest.approx(deadline.process_start(), abs=1)


@pytest.mark.parametrize(
    ("environment", "enforced"), [({}, False), ({deadline.ENFORCE: "1"}, True), ({deadline.ENFORCE: "0"}, False)]
)
def test_on_a_workstation_nobody_ends_a_job_unless_it_is_asked_for(environment, enforced):
    assert deadline_of_job(60, environment).enforced is enforced


def test_a_number_that_another_system_calls_a_job_is_none_of_grid_engine():
    assert not deadline_of_job(60, {"JOB_ID": "7"}).enforced


def test_without_a_runtime_there_is_no_deadline():
    assert deadline_of_job(None, {deadline.ENFORCE: "1"}) is None


def test_the_start_is_that_of_the_process_not_of_its_imports():
    program = (
        "import time; time.sleep(0.5); now = time.time();"
        "from snaketorch.training.deadline import process_start; print(now - process_start())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 0.5 <= float(done.stdout) < 100


@pytest.mark.parametrize(
    ("minutes", "save_seconds", "margin"),
    [
        (60, 1, 30),  # at least half a minute
        (60, 40, 120),  # three saves
        (60, 1000, 360),  # at most a tenth of the time
        (1, 1, 6),
    ],
)
def test_the_margin_is_enough_for_a_save_and_takes_little_of_the_time(minutes, save_seconds, margin):
    assert Deadline(0, 60 * minutes, enforced=True).margin(save_seconds) == margin
