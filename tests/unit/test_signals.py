"""What a job does with signals. Each case is a process of its own: handlers belong to processes."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from snaketorch import signals
from snaketorch.errors import Interrupted
from snaketorch.signals import Noted, ending_at_once

HEAD = """\
import os, signal, sys, time
from snaketorch import signals
def kill(number):
    os.kill(os.getpid(), number)
"""


def run(program: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", HEAD + program], capture_output=True, text=True, timeout=300, **options
    )


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_job_with_nothing_to_save_ends_at_once_and_cleans_up(name):
    done = run(
        f"""
signal.signal(signal.{name}, signal.SIG_DFL)
try:
    with signals.ending_at_once():
        try:
            kill(signal.{name})
            time.sleep(300)
        finally:
            print("cleaned up")
except signals.Ended as ended:
    print(ended, ended.kind)
"""
    )
    assert done.stdout.splitlines() == ["cleaned up", f"told to end by {name} interrupted"]


def test_an_error_that_a_library_makes_of_the_signal_is_no_error_of_the_job():
    done = run(
        """
try:
    with signals.ending_at_once():
        try:
            kill(signal.SIGTERM)
        except BaseException:
            raise ImportError("half of a module")
except signals.Ended as ended:
    print(ended)
"""
    )
    assert done.stdout == "told to end by SIGTERM\n"


def test_what_is_ignored_stays_ignored():
    done = run(
        """
signal.signal(signal.SIGHUP, signal.SIG_IGN)
with signals.ending_at_once(), signals.Noted() as noted:
    kill(signal.SIGHUP)
    noted.install()
    kill(signal.SIGHUP)
print("done", noted.ended_by)
"""
    )
    assert done.stdout == "done None\n"


def test_a_second_request_ends_on_the_spot_and_an_echo_of_the_first_does_not():
    done = run(
        """
signals.ECHO_SECONDS = 600.0
with signals.Noted() as noted:
    noted.install()
    kill(signal.SIGINT)
    kill(signal.SIGINT)
    print("still here", flush=True)
    signals.ECHO_SECONDS = 0.0
    kill(signal.SIGTERM)  # of a workflow that ends too, met late
    print("and here", flush=True)
    kill(signal.SIGINT)
    print("never")
"""
    )
    assert (done.returncode, done.stdout) == (signals.TRY_AGAIN, "still here\nand here\n")
    assert "SIGINT: saving, then ending" in done.stderr
    assert "SIGINT again: ending on the spot" in done.stderr


def test_sigusr1_kills_nobody():
    done = run(
        """
with signals.ending_at_once(), signals.Noted() as noted:
    kill(signal.SIGUSR1)
    noted.install()
    kill(signal.SIGUSR1)
    print(noted.save_asked)
"""
    )
    assert done.stdout == "True\n"
    assert "SIGUSR1: there is nothing to save now" in done.stderr


def test_noted_signals_wait_and_the_handlers_before_come_back():
    before = {number: signal.getsignal(number) for number in (*signals.ENDING, signal.SIGUSR1)}
    with ending_at_once():
        assert not signals.are_noted()
        outer = signal.getsignal(signal.SIGTERM)
        with Noted() as noted:
            assert not signals.are_noted()
            noted.check()
            noted.install()
            signal.signal(signal.SIGTERM, lambda *_: None)  # as Lightning does
            noted.install()
            assert signals.are_noted()
            told_at = time.monotonic()
            os.kill(os.getpid(), signal.SIGTERM)
            assert noted.ended_by == "SIGTERM"
            assert told_at <= noted.ended_at <= time.monotonic()
            with pytest.raises(Interrupted, match="SIGTERM"):
                noted.check()
        assert signal.getsignal(signal.SIGTERM) == outer
    assert {number: signal.getsignal(number) for number in before} == before


def test_in_another_thread_signals_are_left_alone():
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work():
        with ending_at_once(), Noted() as noted:
            noted.install()
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_signals_that_nobody_would_give_back_are_not_taken():
    before = signal.getsignal(signal.SIGTERM)
    Noted().install()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_request_that_cannot_be_logged_is_noted_all_the_same():
    # as of a terminal that closes, which sends SIGHUP and can be written to no more; and of a full disk
    done = run(
        """
os.dup2(os.open("/dev/full", os.O_WRONLY), 2)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
with signals.Noted() as noted:
    noted.install()
    kill(signal.SIGHUP)
    time.sleep(0.1)
    print(noted.ended_by)
"""
    )
    assert done.stdout == "SIGHUP\n"


def test_a_job_that_has_done_its_work_is_ended_by_no_signal():
    done = run(
        """
with signals.ending_at_once() as handlers:
    handlers.all_is_done()
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
    kill(number)
    time.sleep(0.1)
print("done")
"""
    )
    assert (done.returncode, done.stdout) == (0, "done\n")
