import errno
import json
import os
import socket

import pytest

from snaketorch.state import attempts, memory_of_job
from snaketorch.state.attempts import Attempts, begin
from snaketorch.state.progress import Progress, write_progress

BUG = {"kind": "bug", "message": "KeyError: 'x'"}


@pytest.fixture
def oom_kills(monkeypatch):
    """How many processes the system ended for want of memory; to be changed by a test."""
    counted = {"place": "/sys/fs/cgroup/memory.events", "count": 3}
    monkeypatch.setattr(attempts, "oom_kills", lambda: (counted["place"], counted["count"]))
    return counted


def test_attempts_are_counted_from_the_first(tmp_path):
    made = [begin(tmp_path) for _ in range(3)]

    assert [attempt.record()["attempts"] for attempt in made] == [1, 2, 3]
    assert len({attempt.record()["started"] for attempt in made}) == 1
    assert made[0].record()["failures"] == []


def test_the_file_says_who_makes_the_attempt(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    begin(tmp_path)

    (attempt,) = json.loads((tmp_path / "attempts.json").read_text())["attempts"]
    assert attempt["number"] == 1
    assert attempt["job"] == "4711"
    assert attempt["pid"] > 0
    assert attempt["host"]
    assert attempt["ended"] is None


def test_the_record_tells_how_earlier_attempts_failed(tmp_path):
    begin(tmp_path).end({"kind": "cuda_out_of_memory", "message": "CUDA out of memory"})
    begin(tmp_path).end(BUG)

    failures = begin(tmp_path).record()["failures"]

    assert [(failure["attempt"], failure["kind"]) for failure in failures] == [(1, "cuda_out_of_memory"), (2, "bug")]
    assert failures[1]["message"] == "KeyError: 'x'"
    assert all(failure["time"] for failure in failures)


def test_an_attempt_without_an_end_was_killed(tmp_path, oom_kills):
    begin(tmp_path)

    (failure,) = begin(tmp_path).record()["failures"]

    assert failure["kind"] == "killed"
    assert "ended without a word" in failure["message"]


def test_the_attempt_that_runs_is_no_failure(tmp_path):
    begin(tmp_path)

    assert Attempts.read(tmp_path / "attempts.json").failures == []
    assert Attempts.read(tmp_path / "attempts.json").last.failure is None


def test_a_kill_while_the_system_ran_out_of_memory_was_for_memory(tmp_path, oom_kills):
    begin(tmp_path)
    oom_kills["count"] += 1

    (failure,) = begin(tmp_path).record()["failures"]

    assert failure["kind"] == "host_memory"


def test_counts_of_another_group_or_machine_say_nothing(tmp_path, oom_kills, monkeypatch):
    begin(tmp_path)
    oom_kills.update(place="/sys/fs/cgroup/other/memory.events", count=9)
    assert begin(tmp_path).record()["failures"][0]["kind"] == "killed"

    oom_kills["count"] = 10
    monkeypatch.setattr(attempts.socket, "gethostname", lambda: "another")
    assert begin(tmp_path).record()["failures"][1]["kind"] == "killed"


def said(folder, **values):
    """What this process said of its progress."""
    numbers = dict.fromkeys(("epoch", "max_epochs", "batch", "batches", "seconds"), 1)
    others = {"seconds_left": None, "metrics": {}, "time": "", "peak_memory_mb": None, "pid": os.getpid()}
    write_progress(folder, Progress(**numbers, **others | {"host": socket.gethostname()} | values))


def test_what_an_earlier_process_said_of_its_memory_does_not_count(tmp_path, monkeypatch, oom_kills):
    monkeypatch.setattr(attempts, "memory_limit_mb", lambda: 4096.0)
    begin(tmp_path)
    said(tmp_path, host_memory_mb=4000.0, pid=1)
    assert begin(tmp_path).record()["failures"][0]["kind"] == "killed"

    said(tmp_path, host_memory_mb=4000.0, host="another")
    assert begin(tmp_path).record()["failures"][1]["kind"] == "killed"


@pytest.mark.parametrize(("used", "kind"), [(3950.0, "host_memory"), (900.0, "killed"), (None, "killed")])
def test_a_kill_near_the_limit_of_memory_was_for_memory(used, kind, tmp_path, monkeypatch, oom_kills):
    monkeypatch.setattr(attempts, "memory_limit_mb", lambda: 4096.0)
    begin(tmp_path)
    said(tmp_path, host_memory_mb=used)

    (failure,) = begin(tmp_path).record()["failures"]

    assert failure["kind"] == kind


def test_a_file_that_cannot_be_understood_is_begun_anew(tmp_path):
    (tmp_path / "attempts.json").write_text('{"attempts": [{"num')

    assert begin(tmp_path).record()["attempts"] == 1


def test_how_it_ended_is_noted_on_a_full_disk_too(tmp_path, monkeypatch):
    attempt = begin(tmp_path)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(attempts, "write_text", full)
    attempt.end({"kind": "disk_full", "message": "full"})

    assert Attempts.read(tmp_path / "attempts.json").last.failure["kind"] == "disk_full"


def of_system(monkeypatch, tmp_path, cgroup: str, files: dict[str, str]) -> None:
    """Lets a job see other control groups than those of this machine."""
    root = tmp_path / "cgroup"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    read = memory_of_job._read
    monkeypatch.setattr(memory_of_job, "ROOT", root)
    monkeypatch.setattr(memory_of_job, "_read", lambda path: cgroup if str(path) == "/proc/self/cgroup" else read(path))


def test_the_limit_of_a_control_group_holds_for_those_inside(monkeypatch, tmp_path):
    files = {
        "job/memory.max": str(2**31),
        "job/step/memory.max": "max",
        "job/step/memory.events": "oom 9\noom_kill 2\n",
    }
    of_system(monkeypatch, tmp_path, "0::/job/step\n", files)

    assert memory_of_job.memory_limit_mb({}) == 2048
    assert memory_of_job.memory_limit_mb({"SLURM_MEM_PER_NODE": "1000"}) == 1000
    assert memory_of_job.oom_kills() == (str(tmp_path / "cgroup/job/step/memory.events"), 2)


def test_the_control_groups_of_older_systems_are_read_too(monkeypatch, tmp_path):
    files = {
        "memory/job/memory.limit_in_bytes": str(2**30),
        "memory/memory.limit_in_bytes": str(2**63 - 4096),
        "memory/job/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    }
    of_system(monkeypatch, tmp_path, "5:cpu:/job\n4:memory:/job\n0::/\n", files)

    assert memory_of_job.memory_limit_mb({}) == 1024
    assert memory_of_job.oom_kills()[1] == 1


def test_without_limits_nothing_is_said(monkeypatch, tmp_path):
    of_system(monkeypatch, tmp_path, "", {})

    assert memory_of_job.memory_limit_mb({}) is None
