import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snaketorch import parent

CHILD = (
    "import time; from snaketorch import parent; parent.end_with_parent(); print('ready', flush=True); time.sleep(600)"
)


def child(environment: dict[str, str], program: str = CHILD) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_job_ends_when_the_process_that_started_it_is_gone():
    starter = subprocess.Popen(["sleep", "600"])
    job = child({parent.VARIABLE: str(starter.pid)})
    try:
        time.sleep(2 * parent.POLL_SECONDS)
        assert job.poll() is None
        starter.kill()
        starter.wait()
        assert job.wait(300) != 0
    finally:
        job.kill()
        job.wait()


@pytest.mark.skipif(not Path("/proc/self/comm").exists(), reason="needs /proc")
def test_a_process_may_have_any_name():
    """Linux cuts a program's name after 15 bytes, in the middle of a letter too."""
    name = Path("/proc/self/comm")
    before, start = name.read_bytes(), parent.start_time(os.getpid())
    name.write_bytes("die größten üü".encode()[:15])
    try:
        assert parent.start_time(os.getpid()) == start
    finally:
        name.write_bytes(before.strip())


@pytest.mark.parametrize(("saves", "code"), [(True, 75), (False, -signal.SIGKILL)])
def test_an_orphan_saves_if_it_has_anything_to_save(saves, code):
    program = (
        "import os, signal, sys, time; from snaketorch import parent;"
        "signal.signal(signal.SIGTERM, lambda *_: os._exit(75));"
        f"parent.end_with_parent(lambda: {saves}); print('ready', flush=True); time.sleep(600)"
    )
    assert end_code_of_an_orphan(program) == code


def test_an_orphan_that_saves_for_too_long_is_killed():
    program = (
        "import signal, time; from snaketorch import parent; parent.SAVING_SECONDS = 0.2;"
        "signal.signal(signal.SIGTERM, lambda *_: print('saving', flush=True));"
        "parent.end_with_parent(lambda: True); print('ready', flush=True); time.sleep(600)"
    )
    assert end_code_of_an_orphan(program) == -signal.SIGKILL


def end_code_of_an_orphan(program: str) -> int:
    starter = subprocess.Popen(["sleep", "600"])
    job = child({parent.VARIABLE: str(starter.pid)}, program)
    try:
        starter.kill()
        starter.wait()
        return job.wait(300)
    finally:
        job.kill()
        job.wait()


def test_a_job_started_by_hand_watches_nobody():
    job = child({parent.VARIABLE: ""})
    try:
        time.sleep(2 * parent.POLL_SECONDS)
        assert job.poll() is None
    finally:
        job.kill()
        job.wait()


def test_a_process_is_known_by_its_start_so_that_a_new_one_with_its_number_is_another():
    start = parent.start_time(os.getpid())
    assert parent.is_running(os.getpid(), start)
    assert not parent.is_running(os.getpid(), "0")
    assert not parent.is_running(2**22 + 1)
