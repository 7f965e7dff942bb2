"""The other processes of a machine, as they end: a program stands for the command of a training."""

import os
import subprocess
import sys

import pytest

from snaketorch.errors import UserError
from snaketorch.launch.local_ranks import LocalRanks
from snaketorch.launch.place import rank_so_far

TWO = """
import os, time
from snaketorch.launch import local_ranks
if os.environ.get("SNAKETORCH_LOCAL_RANK", "0") != "0":
    os._exit(139)  # as of a library's teardown
with local_ranks.LocalRanks(2, 1, lambda error: print(error, flush=True)) as ranks:
    if {is_over}:
        local_ranks.training_is_over()
    local_ranks.GRACE_SECONDS = 0.2
    ranks.children[0].process.wait()
    time.sleep(1.5 if {is_over} else 100)
    print("published", flush=True)
"""

QUICK = """
import os, threading, time
from snaketorch.launch.local_ranks import LocalRanks
if os.environ.get("SNAKETORCH_LOCAL_RANK", "0") != "0":
    os._exit(0)
with LocalRanks(2, 1, print) as ranks:
    # looks for as long as it takes the first to leave the block
    ranks._dead = lambda: time.sleep(0.5)
    time.sleep(0.2)
    ranks._end = lambda error: print([thread.name for thread in threading.enumerate()])
"""

OTHER = """
import atexit, logging, os
from snaketorch.launch.local_ranks import LocalRanks
logging.basicConfig(handlers=[logging.FileHandler("log", delay=True)])
atexit.register(os._exit, 139)
with LocalRanks(2, 1, print):
    print("trained")
    logging.warning("trained")
"""


def run(program: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SNAKETORCH", "SLURM"))}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment | variables, capture_output=True, text=True, timeout=300)


def test_a_training_that_is_over_is_published_though_another_process_crashes():
    done = run(TWO.format(is_over=True))
    assert (done.returncode, done.stdout) == (0, "published\n"), done.stderr
    assert "The training is done, but process" in done.stderr
    assert "rank 1, ended with exit code 139\n" in done.stderr


def test_nobody_else_reads_the_pipes_when_they_are_closed():
    done = run(QUICK)
    assert (done.returncode, done.stdout) == (0, "['MainThread']\n"), done.stderr


def test_a_training_that_is_not_over_ends_with_a_process_that_crashes():
    done = run(TWO.format(is_over=False))
    assert done.returncode == 139
    assert "rank 1, ended with exit code 139, and the training with it" in done.stdout
    assert "published" not in done.stdout


@pytest.mark.parametrize(
    "variables",
    [
        {"SNAKETORCH_LOCAL_RANK": "1"},
        {"SNAKETORCH_RANK_OF": "7", "SLURM_PROCID": "1", "SLURM_NTASKS": "2"},
    ],
)
def test_a_process_that_has_done_its_part_leaves_without_a_teardown(tmp_path, monkeypatch, variables):
    monkeypatch.chdir(tmp_path)
    done = run(OTHER, **variables)
    assert (done.returncode, done.stdout) == (0, "trained\n"), done.stderr
    assert "trained" in (tmp_path / "log").read_text()


def test_the_first_process_ends_as_any_other_does(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(OTHER, SNAKETORCH_RANK_OF="7", SLURM_PROCID="0", SLURM_NTASKS="2").returncode == 139


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"NODE_RANK": ""}, "not set here: NODE_RANK"),  # as of `NODE_RANK=$RANK` where there is no RANK
        ({"NODE_RANK": "first"}, "NODE_RANK=first; allowed: a whole number"),
        ({"MASTER_PORT": "n1:29500"}, "MASTER_PORT=n1:29500; allowed: a whole number"),
    ],
)
def test_where_machines_meet_is_checked_before_a_process_is_started(monkeypatch, variables, message):
    for name, value in {"MASTER_ADDR": "n1", "MASTER_PORT": "29500", "NODE_RANK": "0", **variables}.items():
        monkeypatch.setenv(name, value)
    assert rank_so_far() == 0  # of which every command asks
    ranks = LocalRanks(2, 2, print)
    with pytest.raises(UserError, match=message), ranks:
        pass
    assert not ranks.children
