"""A sweep over the nodes of one job: Ray runs on all of them, and is gone with the job."""

import csv
import json
import time
from pathlib import Path

import pytest
from cluster_experiments import DIGITS, SWEPT

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def swept(cluster, new_study):
    study = new_study("swept", {"datasets/digits.yaml": DIGITS, "experiments/swept.yaml": SWEPT})
    study.start("tune")
    study.finish()
    return study


def test_trials_ran_on_both_nodes_of_the_job(swept, cluster):
    (job,) = cluster.jobs("rule_tune_experiment_wildcards_swept")
    assert (job.state, job.requested["node"], job.requested["cpu"]) == ("COMPLETED", "2", "2")
    with swept.file("results/experiments/swept/tune/trials.csv").open(newline="") as file:
        trials = list(csv.DictReader(file))
    assert [trial["status"] for trial in trials] == ["finished"] * 4
    assert {trial["node"] for trial in trials} == {"n1", "n2"}
    how = json.loads(swept.said("results/experiments/swept/tune/sweep.json"))["how"]
    assert (how["engine"], how["nodes"], how["at_once"]) == ("ray", 2, 2)


def test_nothing_of_ray_is_left_on_the_nodes(swept):
    folder = str(swept.folder).encode()
    end = time.monotonic() + 120
    while left := _commands_of_ray(folder):
        assert time.monotonic() < end, left
        time.sleep(0.5)


def _commands_of_ray(folder: bytes) -> list[bytes]:
    commands = [
        _read(path) for path in Path("/proc").glob("[0-9]*/cmdline") if folder in _read(path.with_name("environ"))
    ]
    return [command for command in commands if b"ray" in command]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
