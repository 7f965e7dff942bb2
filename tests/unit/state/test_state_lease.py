import dataclasses
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time

import pytest

from snaketorch.state import lease
from snaketorch.state.holder import Holder
from snaketorch.state.lease import Claim, Lease, lease_holder


@pytest.fixture
def quick(monkeypatch):
    """Heartbeats of hundredths of a second."""
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(lease, "SILENT_SECONDS", 0.3)
    monkeypatch.setattr(lease, "WATCHED_SECONDS", 0.1)


def of_another_machine(folder, number=1, age=0.0):
    """The lease of a process elsewhere whose last heartbeat is ``age`` seconds old."""
    path = folder / f"lease-{number:06d}.json"
    path.write_text(dataclasses.replace(Holder.of_this_process(), host="elsewhere").to_json())
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def wait_for(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_lease_is_had_by_one_and_then_by_the_next(tmp_path):
    first = Claim(tmp_path).take()
    assert lease_holder(tmp_path).pid == os.getpid()
    assert Claim(tmp_path).take() is None
    first.give_back()
    assert lease_holder(tmp_path) is None
    second = Claim(tmp_path).take()
    assert second.number == first.number + 1
    assert lease_holder(tmp_path).pid == os.getpid()
    second.give_back()


@pytest.mark.parametrize("others", [1, 2, 3, 60])
def test_who_was_held_up_after_looking_finds_that_others_came(tmp_path, monkeypatch, others):
    Claim(tmp_path).take().give_back()
    held = []

    def come_meanwhile(claim, number):
        monkeypatch.undo()
        for _ in range(others):
            held.append(Claim(tmp_path).take())
            if len(held) < others:
                held[-1].give_back()
        return True

    monkeypatch.setattr(Claim, "_may_follow", come_meanwhile)
    assert Claim(tmp_path).take() is None
    assert lease_holder(tmp_path).pid == os.getpid()
    assert held[-1].path.exists()
    assert held[-1]._renew()
    held[-1].give_back()
    assert Claim(tmp_path).take().number == others + 2


def test_the_files_of_past_leases_do_not_pile_up(tmp_path):
    for _ in range(100):
        Claim(tmp_path).take().give_back()
    assert len(list(tmp_path.glob("lease-*"))) < 30


def test_a_holder_renews_its_lease(tmp_path, quick):
    held = Claim(tmp_path).take()
    os.utime(held.path, (0, 0))
    wait_for(lambda: held.path.stat().st_mtime > time.time() - 60)
    held.give_back()


def test_the_lease_of_a_killed_process_of_this_machine_is_free_at_once(tmp_path):
    program = (
        "import os, signal, sys; from pathlib import Path; from snaketorch.state.lease import Claim;"
        "Claim(Path(sys.argv[1])).take(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
    assert len(list(tmp_path.glob("lease-*"))) == 1
    assert lease_holder(tmp_path) is None
    Claim(tmp_path).take().give_back()


def test_the_lease_of_another_machine_is_taken_over_when_it_is_silent(tmp_path, quick):
    of_another_machine(tmp_path, age=1)
    claim = Claim(tmp_path)
    assert claim.take() is None, "a holder counts as silent only after it was watched"
    taken = []
    wait_for(lambda: taken.append(claim.take()) or taken[-1])
    taken[-1].give_back()


def test_a_holder_whose_clock_is_behind_keeps_its_lease_while_it_renews_it(tmp_path, quick):
    path = of_another_machine(tmp_path, age=100)
    claim, end, beat = Claim(tmp_path), time.monotonic() + 0.5, 0
    while time.monotonic() < end:
        beat += 1
        os.utime(path, (time.time() - 100 + beat / 1000,) * 2)
        assert claim.take() is None
        time.sleep(0.02)


def test_a_lease_that_is_just_being_written_is_held(tmp_path):
    (tmp_path / "lease-000001.json").touch()
    assert Claim(tmp_path).take() is None
    assert str(lease_holder(tmp_path)) == "another process"


def test_a_process_in_a_container_of_the_same_name_is_not_taken_for_gone(tmp_path):
    elsewhere = dataclasses.replace(Holder.of_this_process(), namespace="pid:[1]", start="1")
    (tmp_path / "lease-000001.json").write_text(elsewhere.to_json())
    assert Claim(tmp_path).take() is None


def test_a_holder_that_finds_its_lease_taken_over_is_told(tmp_path, quick):
    lost = threading.Event()
    held = Claim(tmp_path).take()
    mine = Lease(tmp_path, held.number, on_lost=lost.set)
    time.sleep(0.1)
    assert not lost.is_set()
    held.give_back()
    of_another_machine(tmp_path, number=2)
    assert lost.wait(60)
    mine.give_back()


def test_a_process_whose_lease_is_taken_over_ends_at_once(tmp_path):
    program = (
        "import logging, sys, time; from pathlib import Path; from snaketorch.state import lease;"
        "logging.basicConfig(); lease.HEARTBEAT_SECONDS = 0.05; lease.Claim(Path(sys.argv[1])).take();"
        "print('held', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    of_another_machine(tmp_path, number=2)
    try:
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == -9
    assert "was taken over by process" in said
    assert "on elsewhere" in said


def test_a_holder_whose_folder_is_gone_for_good_is_told(tmp_path, quick):
    lost = threading.Event()
    held = Claim(tmp_path).take()
    mine = Lease(tmp_path, held.number, on_lost=lost.set)
    held.give_back()
    held.path.unlink()
    assert lost.wait(60)
    mine.give_back()


def compete(folder, barrier, count, winners):
    barrier.wait()
    for _ in range(count):
        taken = Claim(folder).take()
        if taken:
            winners.put((os.getpid(), taken.number))
            marker = folder / "inside"
            marker.touch(exist_ok=False)  # FileExistsError: two are inside
            marker.unlink()
            taken.give_back()


def test_of_many_who_compete_one_is_inside_at_a_time(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier, winners = context.Barrier(3), context.SimpleQueue()
    processes = [context.Process(target=compete, args=(tmp_path, barrier, 60, winners)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    numbers = []
    while not winners.empty():
        numbers.append(winners.get()[1])
    assert numbers
    assert sorted(set(numbers)) == list(range(1, len(numbers) + 1)), "no number is granted twice"


def test_what_a_lease_says_can_be_read_by_people(tmp_path):
    held = Claim(tmp_path).take()
    assert json.loads(held.path.read_text())["pid"] == os.getpid()
    held.give_back()
    assert json.loads(held.path.read_text()) == {"given back": True}
