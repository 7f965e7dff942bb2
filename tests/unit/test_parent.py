import os
import subprocess
import sys
import time

from snaketorch import parent

CHILD = (
    "import time; from snaketorch import parent; parent.end_with_parent(); print('ready', flush=True); time.sleep(60)"
)


def child(environment: dict[str, str]) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_job_ends_when_the_process_that_started_it_is_gone():
    starter = subprocess.Popen(["sleep", "60"])
    job = child({parent.VARIABLE: str(starter.pid)})
    try:
        time.sleep(2 * parent.POLL_SECONDS)
        assert job.poll() is None
        starter.kill()
        starter.wait()
        assert job.wait(10) != 0
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
