import errno
import fcntl
import json
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from snaketorch import parent
from snaketorch.errors import InUse
from snaketorch.state import lock
from snaketorch.state.lease import lease_holder
from snaketorch.state.lock import holder, sole_writer


def hold(folder, ready, seconds):
    with sole_writer(folder):
        ready.set()
        time.sleep(seconds)


@pytest.fixture
def started():
    """Starts a process that holds a folder."""
    processes = []

    def start(folder, seconds=600):
        context = multiprocessing.get_context("spawn")
        ready = context.Event()
        process = context.Process(target=hold, args=(folder, ready, seconds))
        process.start()
        processes.append(process)
        assert ready.wait(300)
        return process

    yield start
    for process in processes:
        process.kill()
        process.join()


@pytest.fixture
def no_locks(monkeypatch):
    """A file system without locks."""

    def flock(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(lock.fcntl, "flock", flock)


def test_a_second_writer_is_refused_and_told_who_holds_the_folder_and_how_to_end_it(tmp_path, started, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.delenv(parent.VARIABLE, raising=False)
    process = started(tmp_path)

    with pytest.raises(InUse) as refused, sole_writer(tmp_path, 0):
        pass

    host = socket.gethostname()
    assert f"{tmp_path} is in use by process {process.pid} on {host}, batch job 17, for " in str(refused.value)
    assert "Wait for it, or end it with `scancel 17`" in str(refused.value)


def test_a_holder_on_this_machine_is_ended_with_kill(tmp_path, started, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    process = started(tmp_path)
    with pytest.raises(InUse, match=f"end it with `kill {process.pid}`"), sole_writer(tmp_path, 0):
        pass


def test_an_orphan_is_called_one(tmp_path, started, monkeypatch):
    workflow = subprocess.Popen(["sleep", "600"])
    monkeypatch.setenv(parent.VARIABLE, str(workflow.pid))  # the holder here does not watch it
    process = started(tmp_path)
    assert not holder(tmp_path).is_orphan
    workflow.kill()
    workflow.wait()

    with pytest.raises(InUse, match=f"orphan: .* process {workflow.pid}, is gone. End it with `kill {process.pid}`"):  # noqa: SIM117
        with sole_writer(tmp_path, 0):
            pass


def test_a_child_that_keeps_the_folder_of_its_ended_parent_is_looked_for(tmp_path):
    program = (
        "import os, sys, time; from pathlib import Path; from snaketorch.state.lock import sole_writer\n"
        "with sole_writer(Path(sys.argv[1])):\n"
        "    child = os.fork()\n"
        "    if child: print(child, flush=True); os._exit(0)\n"
        "    os.close(1); time.sleep(600)"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, text=True, check=True)
    try:
        with pytest.raises(InUse, match=f"`fuser -v {tmp_path}/lock` names it"), sole_writer(tmp_path, 0):
            pass
    finally:
        os.kill(int(done.stdout), signal.SIGKILL)
    with sole_writer(tmp_path, 60):
        pass


def test_a_successor_goes_on_when_the_holder_is_killed(tmp_path, started):
    process = started(tmp_path)
    process.kill()
    process.join()
    with sole_writer(tmp_path, 60):
        assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()


def test_who_holds_a_folder_can_be_asked_without_taking_it(tmp_path, started):
    assert holder(tmp_path / "nothing") is None
    assert not (tmp_path / "nothing").exists()
    before = time.monotonic()
    process = started(tmp_path)
    found = holder(tmp_path)
    assert (found.pid, found.host, found.is_here, found.is_gone) == (process.pid, socket.gethostname(), True, False)
    assert found.seconds < time.monotonic() - before + 1  # it says whole seconds
    process.kill()
    process.join()
    assert holder(tmp_path) is None


def test_a_folder_is_free_after_its_block(tmp_path):
    with sole_writer(tmp_path):
        assert holder(tmp_path).pid == os.getpid()
    assert holder(tmp_path) is None
    with sole_writer(tmp_path, 0):
        pass


def test_one_who_waits_for_a_folder_that_is_cleared_gets_the_new_one(tmp_path, monkeypatch):
    folder = tmp_path / "state"
    opened = []

    def cleared_by_the_holder_before_it_is_locked(file, how):
        if not opened:
            shutil.rmtree(folder)
        opened.append(file)
        return flock(file, how)

    flock = fcntl.flock
    monkeypatch.setattr(lock.fcntl, "flock", cleared_by_the_holder_before_it_is_locked)
    with sole_writer(folder, 60):
        assert os.path.samestat(os.fstat(opened[-1].fileno()), (folder / "lock").stat())
    assert len(opened) == 2


def test_a_look_at_the_holder_keeps_no_writer_out(tmp_path):
    (tmp_path / "lock").touch()
    with (tmp_path / "lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        begun = []
        with pytest.raises(InUse), sole_writer(tmp_path, 0):
            begun.append(True)
        assert not begun
        fcntl.flock(looking, fcntl.LOCK_UN)
        with sole_writer(tmp_path, 0):
            begun.append(True)
    assert begun


def test_without_locks_a_lease_keeps_the_second_writer_out(tmp_path, no_locks):
    with sole_writer(tmp_path):
        assert holder(tmp_path).pid == os.getpid()
        with pytest.raises(InUse, match=f"process {os.getpid()} on "), sole_writer(tmp_path, 0):
            pass
    assert holder(tmp_path) is None
    with sole_writer(tmp_path, 0):
        pass


def test_a_lease_counts_also_for_one_who_finds_locks(tmp_path, monkeypatch):
    flock = fcntl.flock
    monkeypatch.setattr(lock.fcntl, "flock", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOTSUP, "no")))
    with sole_writer(tmp_path):
        monkeypatch.setattr(lock.fcntl, "flock", flock)
        with pytest.raises(InUse), sole_writer(tmp_path, 0):
            pass
    with sole_writer(tmp_path, 0):
        pass


def test_where_other_machines_do_not_see_the_lock_there_is_a_lease_too(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "locks_are_local", lambda _: True)
    with sole_writer(tmp_path):
        assert lease_holder(tmp_path).pid == os.getpid()
    assert lease_holder(tmp_path) is None


def test_a_cleared_folder_is_given_back_without_a_trace(tmp_path, no_locks):
    folder = tmp_path / "seed-0" / "digest"
    with sole_writer(folder):
        shutil.rmtree(folder)
    assert not folder.exists()


def test_another_error_of_the_lock_is_no_licence_to_write(tmp_path, monkeypatch):
    def broken(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(lock.fcntl, "flock", broken)
    with pytest.raises(OSError, match="Input/output error"), sole_writer(tmp_path, 0):
        pass
