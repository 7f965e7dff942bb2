"""Ray of a sweep is open to this machine alone, and reports to nobody."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.sweeps

LISTENING = """
import os, subprocess, psutil
from snaketorch.tuning.ray_cluster import ray_in_job
from snaketorch.tuning.room import Room
with ray_in_job(Room(), None):
    import ray
    processes = [os.getpid(), *(process.pid for process in psutil.Process().children(recursive=True))]
    for line in subprocess.check_output(["ss", "-Hltnp"], text=True).splitlines():
        if any(f"pid={process}," in line for process in processes):
            print("listens", line.split()[3])
    print("tokens", os.environ["RAY_AUTH_MODE"], len(os.environ["RAY_AUTH_TOKEN"]))
    print("reports", os.environ["RAY_USAGE_STATS_ENABLED"])
"""


def test_ray_listens_on_this_machine_alone_and_asks_for_a_token():
    said = subprocess.check_output([sys.executable, "-c", LISTENING], text=True, timeout=600)
    words = [line.split() for line in said.splitlines()]
    places = [word[1].rpartition(":")[0] for word in words if word[0] == "listens"]
    assert len(places) >= 3  # its store, its scheduler and the workers
    assert set(places) <= {"127.0.0.1", "[::ffff:127.0.0.1]", "[::1]"}
    assert ["tokens", "token", "64"] in words
    assert ["reports", "0"] in words
