"""A whole sweep: what it publishes, and what of that a longer one changes."""

import csv
import json
from pathlib import Path

import pytest
import yaml
from prepared_by_hand import write_images
from training_specs import spec_of

from snaketorch.config.specs import TuneSpec
from snaketorch.errors import UserError
from snaketorch.tuning.room import Room
from snaketorch.tuning.tune import SweepFiles, tune

RATES = {"optimizer.lr": {"grid": [10.0, 0.001, 0.01, 0.002]}}
"""The first one diverges."""
FILES = SweepFiles(
    *(Path(f"tune/{name}") for name in ("best.yaml", "trials.csv", "curves.csv", "sweep.json", "figures"))
)


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    """Runs, or goes on with, a sweep of regressions side by side; gives what it found and its trials."""
    monkeypatch.chdir(tmp_path)
    manifest = write_images(tmp_path / "data", numbers=True)

    def run(**options) -> tuple[dict, list[dict]]:
        model, trainer = {"kind": "mlp", "hidden": [8]}, {"precision": "32-true", "max_epochs": 2}
        spec = spec_of({"kind": "regression"}, model, trainer=trainer).model_dump(mode="json")
        given = {"metric": "val/loss", "mode": "min", "search_alg": {"kind": "grid"}, "scheduler": {"kind": "fifo"}}
        spec["tune"] = given | {"space": RATES, "vectorise": True, **options}
        tune(
            TuneSpec.model_validate(spec),
            manifest=manifest,
            state_root=Path("state"),
            files=FILES,
            code="code",
            room=Room(),
        )
        with FILES.trials.open() as file:
            return yaml.safe_load(FILES.best.read_text("utf-8")), list(csv.DictReader(file))

    return run


def test_a_grid_survives_a_trial_that_fails_first_and_knows_how_many_there_are(sweep, caplog):
    caplog.set_level("INFO", "snaketorch")

    best, trials = sweep()

    assert [trial["status"] for trial in trials] == ["failed", "finished", "finished", "finished"]
    assert best["trial"] == 2 and best["values"] == {"optimizer.lr": 0.01}
    assert "4 of 4 trials done (3 finished, 1 failed)" in caplog.text
    record = json.loads(FILES.sweep.read_text("utf-8"))
    assert record["best"]["values"] == best["values"] and record["trials"] == {"failed": 1, "finished": 3}
    assert not list(Path("state").rglob("*.ckpt"))


def test_too_many_failures_end_a_sweep(sweep):
    with pytest.raises(UserError, match=r"more than tune\.max_failed_trials: 0 allows"):
        sweep(max_failed_trials=0)

    assert not FILES.best.exists()


def test_a_time_that_is_too_short_for_any_trial_is_told_and_a_longer_one_goes_on(sweep):
    with pytest.raises(UserError, match=r"before tune\.time_budget_s: 0\.001 was over; allowed: a longer time"):
        sweep(time_budget_s=0.001)

    assert sweep(time_budget_s=1000.0)[0]["trial"] == 2


def test_a_longer_sweep_that_finds_nothing_better_publishes_the_same_best_values(sweep):
    sweep(num_samples=3)
    before, record = FILES.best.read_bytes(), json.loads(FILES.sweep.read_text("utf-8"))

    _, trials = sweep(num_samples=4)

    assert FILES.best.read_bytes() == before
    assert [trial["attempts"] for trial in trials] == ["1"] * 4
    assert json.loads(FILES.sweep.read_text("utf-8"))["epochs"] == record["epochs"] + 2


def test_a_longer_sweep_that_finds_something_better_publishes_it(sweep):
    assert sweep(num_samples=2)[0]["trial"] == 1
    assert sweep(num_samples=4)[0]["trial"] == 2


def record() -> dict:
    return json.loads(FILES.sweep.read_text("utf-8"))


def test_trials_of_an_earlier_sweep_take_no_time_of_this_one(sweep):
    sweep()
    sweep(space={"optimizer.lr": {"grid": [0.001, 0.01]}})

    assert record()["trials"] == {"finished": 2}
    assert (record()["trial_seconds"], record()["parallelism"]) == (0, 0)


def test_only_what_the_scheduler_stopped_is_saved(sweep):
    rates = {"optimizer.lr": {"grid": [10.0, 1e-9, 2e-9, 0.01]}}
    sweep(space=rates, scheduler={"kind": "asha", "grace_period": 1, "reduction_factor": 2})

    assert record()["trials"] == {"failed": 1, "finished": 1, "stopped": 2}
    # without it those that were stopped had trained another epoch, and the one that failed had failed
    assert record()["epochs_without_scheduler"] == record()["epochs"] + 2
