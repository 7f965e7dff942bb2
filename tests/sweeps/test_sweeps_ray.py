"""Sweeps through Ray Tune: what they find, and what they leave."""

import time

import pytest
from sweep_process import EPOCHS, RAY_ENDS_SECONDS, SPACE, sweep_spec

from snaketorch.config.space import with_values
from snaketorch.config.specs import TrainSpec
from snaketorch.training.train import train

pytestmark = pytest.mark.sweeps


def test_every_trial_is_accounted_for(straight):
    rows = straight.trials
    assert [row["number"] for row in rows] == list("012345")
    assert {row["status"] for row in rows} == {"finished"}
    assert all(row["epochs"] == str(EPOCHS) and row["attempts"] == "1" for row in rows)
    assert len(straight.curves) == 6 * EPOCHS
    assert straight.record["trials"] == {"finished": 6}
    assert straight.record["how"]["engine"] == "ray"


def test_the_best_trial_is_the_result(straight):
    best = min(straight.trials, key=lambda row: float(row["best"]))
    assert straight.best["trial"] == int(best["number"])
    assert straight.best["value"] == float(best["best"])
    assert {path: str(value) for path, value in straight.best["values"].items()} == {path: best[path] for path in SPACE}


def test_a_trial_is_the_training_of_its_values(straight, manifest, tmp_path):
    document = sweep_spec().model_dump(mode="json", exclude={"tune"})
    spec = TrainSpec.model_validate(with_values(document, straight.best["values"]))
    out = {name: tmp_path / name for name in ("model", "history", "record", "samples")}
    train(spec, manifest=manifest, state_root=tmp_path / "state", **out, code="", threads=1)
    header, *rows = (line.split(",") for line in out["history"].read_text().splitlines())
    losses = [float(row[header.index("val/loss")]) for row in rows]
    curve = [row["value"] for row in straight.curves if row["trial"] == str(straight.best["trial"])]
    assert [float(value) for value in curve] == losses


def test_ray_is_gone_after_a_sweep(straight):
    end = time.monotonic() + RAY_ENDS_SECONDS
    while straight.processes() and time.monotonic() < end:
        time.sleep(0.2)
    assert straight.processes() == []


def test_more_samples_continue_a_sweep(straight, new_sweep, manifest):
    sweep = new_sweep().run(sweep_spec(num_samples=2))
    assert len(sweep.trials) == 2
    sweep.run(sweep_spec())
    assert sweep.results == straight.results
    assert len(sweep.events("started")) == 6
    narrow = {**SPACE, "model.hidden": {"choice": [[8]]}}
    fit = [row for row in straight.results if row["model.hidden"] == "[8]"]
    sweep.run(sweep_spec(space=narrow, num_samples=len(fit) + 1))
    taken = [row for row in sweep.results if row["origin"].startswith("taken over")]
    assert [row["best"] for row in taken] == [row["best"] for row in fit]
    assert len(sweep.results) == len(fit) + 1
