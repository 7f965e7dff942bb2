"""Populations, and the schedulers of Ray Tune that pause or stop trials."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sweep_process import sweep_spec

pytestmark = pytest.mark.sweeps

EPOCHS = 8
POPULATION = {"num_samples": 4, "scheduler": {"kind": "pbt", "perturbation_interval": 2}}
CASES = {
    "pb2": {"epochs": EPOCHS, "num_samples": 4, "scheduler": {"kind": "pb2", "perturbation_interval": 2}},
    "hyperband": {"epochs": 4, "num_samples": 6, "scheduler": {"kind": "hyperband", "reduction_factor": 2}},
    "median": {
        "epochs": 4,
        "num_samples": 4,
        "scheduler": {"kind": "median", "grace_period": 1, "min_samples_required": 1},
    },
}


@pytest.fixture(scope="module")
def population(new_sweep):
    """One that nothing disturbs."""
    return new_sweep().run(sweep_spec(epochs=EPOCHS, **POPULATION))


@pytest.fixture(scope="module")
def several(tmp_path_factory, manifest) -> Path:
    """The folder of the ``CASES``, each in a folder of its name."""
    folder = tmp_path_factory.mktemp("several")
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, root / "tests/sweeps/several_sweeps.py", folder, manifest, json.dumps(CASES)],
        env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "SNAKETORCH_TRACKING": "off"},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_population_exchanges_weights_and_values(population):
    exchanges = population.events("exchanged")
    assert [event["epoch"] for event in exchanges] == [2, 4, 6]
    assert all(len(event["members"]) == 4 and len(event["changes"]) == 1 for event in exchanges)
    last = {}
    for event in exchanges:
        for change in event["changes"]:
            last[change["number"]] = change["values"]["optimizer.lr"]
    assert {number: float(population.trials[number]["optimizer.lr"]) for number in last} == last
    assert {row["status"] for row in population.trials} == {"finished"}
    assert {row["attempts"] for row in population.trials} == {"1"}
    assert len(population.curves) == 4 * EPOCHS


def test_a_trial_that_took_over_goes_on_where_its_donor_was(population):
    curves = {(int(row["trial"]), int(row["epoch"])): float(row["value"]) for row in population.curves}
    for event in population.events("exchanged"):
        for change in event["changes"]:
            donor, own = (curves[number, event["epoch"]] for number in (change["donor"], change["number"]))
            after = curves[change["number"], event["epoch"] + 1]
            assert abs(after - donor) < abs(after - own)


def test_the_best_of_a_population_says_that_its_values_are_the_last_of_a_schedule(population):
    best, schedule = population.best, population.record["schedule"]
    assert schedule[-1]["values"] == best["values"]
    assert schedule[0]["from_epoch"] == 1
    assert [part["from_epoch"] for part in schedule] == sorted({part["from_epoch"] for part in schedule})
    assert ("note" in best) == (len(schedule) > 1)


def test_a_population_that_is_killed_comes_to_the_same(population, new_sweep):
    sweep, spec = new_sweep(), sweep_spec(epochs=EPOCHS, **POPULATION)
    for exchanges in (1, 2):
        sweep.start(spec)
        sweep.when(lambda exchanges=exchanges: len(sweep.events("exchanged")) >= exchanges)
        sweep.kill(signal.SIGKILL)
        sweep.end(300)
    sweep.run(spec)
    assert sweep.results == population.results
    assert sweep.curves == population.curves
    assert sweep.best == population.best
    assert sweep.record["schedule"] == population.record["schedule"]


def test_a_population_of_bandits_ends(several):
    trials = rows(several / "pb2" / "trials.csv")
    assert {row["status"] for row in trials} == {"finished"}
    assert all(0.01 <= float(row["optimizer.lr"]) <= 0.5 for row in trials)
    record = json.loads((several / "pb2" / "sweep.json").read_text())
    assert record["schedule"][0]["from_epoch"] == 1


def test_hyperband_halves_its_rounds(several):
    trials = rows(several / "hyperband" / "trials.csv")
    assert [row["number"] for row in trials] == list("012345")
    stopped = [row for row in trials if row["status"] == "stopped"]
    assert stopped and all(int(row["epochs"]) < 4 for row in stopped)
    assert all(row["epochs"] == "4" for row in trials if row["status"] == "finished")


def test_the_median_rule_ends_trials_and_pauses_none(several):
    trials = rows(several / "median" / "trials.csv")
    assert {row["status"] for row in trials} <= {"finished", "stopped"}
    assert {row["attempts"] for row in trials} == {"1"}
