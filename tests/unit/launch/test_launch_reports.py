import os
import subprocess
import sys
import threading

import pytest

from snaketorch.launch.reports import REPORT, Reports, failure_of_peer

LEAVES = """
from snaketorch.failures.classify import classify
from snaketorch.launch.reports import leave
try:
    {}["key"]
except KeyError as error:
    leave(classify(error), 1, lambda: print("shown"))
"""


def leave(address: str, rank: int, slurm: bool = True) -> "subprocess.CompletedProcess[str]":
    """How a process with this rank leaves."""
    place = {"SNAKETORCH_RANK_OF": "7", "SLURM_PROCID": str(rank)} if slurm else {"SNAKETORCH_LOCAL_RANK": str(rank)}
    environment = {**os.environ, REPORT: address, **place}
    return subprocess.run([sys.executable, "-c", LEAVES], env=environment, capture_output=True, text=True, timeout=300)


def test_a_rank_that_has_told_why_it_ends_leaves_the_first_one_time():
    first = threading.Event()
    with Reports("127.0.0.1") as reports:
        reports.when_first = lambda said: first.set()
        second, zeroth = leave(reports.address, 1), leave(reports.address, 0)

    assert (second.returncode, second.stdout) == (0, "")
    assert (zeroth.returncode, zeroth.stdout) == (1, "")
    assert first.is_set()
    assert [said["rank"] for said in reports.said] == [1, 0]
    error = failure_of_peer(reports.said[0])
    assert str(error).startswith("rank 1: KeyError: 'key'")
    assert (error.kind, error.exit_code) == ("bug", 1)
    assert "KeyError: 'key'" in "".join(error.__notes__)
    assert not str(failure_of_peer(reports.said[1])).startswith("rank")


def test_a_rank_that_nobody_hears_says_it_itself():
    with Reports("127.0.0.1") as reports:
        address = reports.address
        stranger = leave(address.rpartition(":")[0] + ":guess", 1)
    alone = leave(address, 1)

    assert reports.said == []
    for rank in (stranger, alone):
        assert (rank.returncode, rank.stdout) == (1, "shown\n")


def test_a_process_of_the_same_machine_tells_by_a_pipe():
    read, write = os.pipe()
    environment = {**os.environ, REPORT: str(write), "SNAKETORCH_LOCAL_RANK": "1"}
    done = subprocess.run([sys.executable, "-c", LEAVES], env=environment, pass_fds=[write], timeout=300)
    os.close(write)
    with os.fdopen(read) as pipe:
        assert '"kind": "bug"' in pipe.read()
    assert done.returncode == 1


@pytest.mark.parametrize("address", ["", "no address", "127.0.0.1:no-port:word"])
def test_an_address_that_is_none_is_nobody(address):
    assert leave(address, 1).stdout == "shown\n"
