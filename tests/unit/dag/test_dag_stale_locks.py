import json
import socket
import subprocess
import sys

import pytest

from snaketorch.dag import stale_locks
from snaketorch.dag.stale_locks import release_stale_locks

OTHER = """
import sys
from pathlib import Path
from snaketorch.dag.stale_locks import release_stale_locks
print(release_stale_locks(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _end():
    """Ends the Snakemake that this process plays."""
    yield
    end_own()


def end_own():
    while stale_locks._held:
        stale_locks._held.pop().close()


@pytest.fixture
def other(tmp_path):
    """Starts another Snakemake in the folder; its answer and, with ``.kill()``, its end."""
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", OTHER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process, process.stdout.readline().strip() == "True"

    yield start
    for process in started:
        end(process)


def end(process):
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


@pytest.fixture
def lock(tmp_path):
    """A lock file as Snakemake writes it while it works, and leaves it when it is killed."""
    path = tmp_path / ".snakemake/locks/0.input.lock"
    path.parent.mkdir(parents=True)

    def write():
        path.parent.mkdir(exist_ok=True)
        path.write_text("results/report.html\n")
        return path

    return write


def test_the_first_start_finds_nothing(tmp_path):
    assert not release_stale_locks(tmp_path)


def test_locks_of_a_killed_snakemake_are_released(tmp_path, lock, other):
    killed, _ = other()
    path = lock()
    end(killed)

    assert release_stale_locks(tmp_path)
    assert not path.exists()


def test_locks_of_a_living_snakemake_are_left_alone(tmp_path, lock, other):
    other()
    path = lock()

    assert not release_stale_locks(tmp_path)
    assert path.exists()


def test_a_snakemake_that_started_beside_a_dry_run_keeps_its_locks(tmp_path, lock, other):
    dry_run, _ = other()
    release_stale_locks(tmp_path)
    path = lock()
    end(dry_run)

    _, released = other()

    assert not released
    assert path.exists()


def test_locks_are_released_once_the_last_of_several_has_ended(tmp_path, lock, other):
    first, _ = other()
    second, _ = other()
    path = lock()
    end(first)
    assert not release_stale_locks(tmp_path)
    end_own()
    end(second)

    assert release_stale_locks(tmp_path)
    assert not path.exists()


def test_locks_of_another_machine_are_left_alone(tmp_path, lock, monkeypatch):
    """It may be at work: kernel locks need not reach from one machine to another."""
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    release_stale_locks(tmp_path)
    end_own()
    path = lock()
    monkeypatch.undo()

    for _ in range(3):
        assert not release_stale_locks(tmp_path), "asking again does not make them ours"
        end_own()
    assert path.exists()

    path.unlink()
    release_stale_locks(tmp_path)
    end_own()
    lock()
    assert release_stale_locks(tmp_path), "they went, and the next ones are ours"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"host": "here"}', "\0"])
def test_a_note_that_cannot_be_read_releases_nothing(tmp_path, lock, text):
    path = lock()
    (tmp_path / ".snakemake/snaketorch.lock").write_text(text)

    assert not release_stale_locks(tmp_path)
    assert path.exists()


def test_a_folder_that_cannot_be_written_is_no_reason_to_stop(tmp_path):
    (tmp_path / ".snakemake").write_text("a file where the folder belongs")

    assert not release_stale_locks(tmp_path)


def test_the_note_names_this_machine(tmp_path):
    release_stale_locks(tmp_path)

    note = json.loads((tmp_path / ".snakemake/snaketorch.lock").read_text("utf-8"))
    assert note == {"hosts": [socket.gethostname()]}
