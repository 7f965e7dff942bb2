import json
import multiprocessing
import os
import time

import pytest

from snaketorch.errors import UserError
from snaketorch.training import state


def hold(folder, ready, seconds):
    with state.sole_writer(folder):
        ready.set()
        time.sleep(seconds)


def holder(folder, seconds):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=hold, args=(folder, ready, seconds))
    process.start()
    assert ready.wait(30)
    return process


def test_a_second_writer_is_refused_and_told_who_holds_the_folder(tmp_path):
    process = holder(tmp_path, 60)
    try:
        with pytest.raises(UserError, match=f"process {process.pid} on "), state.sole_writer(tmp_path, 0.3):
            pass
    finally:
        process.kill()
        process.join()


def test_a_successor_goes_on_when_the_holder_is_killed(tmp_path):
    process = holder(tmp_path, 60)
    process.kill()
    process.join()
    with state.sole_writer(tmp_path, 5):
        assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()


def test_attempts_are_counted(tmp_path):
    noted = [state.note_attempt(tmp_path) for _ in range(3)]
    assert [attempt["attempts"] for attempt in noted] == [1, 2, 3]
    assert len({attempt["started"] for attempt in noted}) == 1


def test_a_file_system_without_locks_is_a_warning_and_no_failure(tmp_path, monkeypatch, caplog):
    def no_locks(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(state.fcntl, "flock", no_locks)
    with state.sole_writer(tmp_path):
        pass
    assert "No lock on" in caplog.text


def test_a_published_training_leaves_no_state(tmp_path):
    folder = tmp_path / "seed-0" / "digest"
    folder.mkdir(parents=True)
    (folder / "last.ckpt").write_bytes(b"x")
    state.clear(folder)
    assert not (tmp_path / "seed-0").exists()
