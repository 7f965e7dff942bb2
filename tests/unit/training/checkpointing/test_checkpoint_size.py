"""Room for checkpoints is asked for before anything is trained."""

import json
from pathlib import Path

import pytest

from snaketorch.errors import DiskFull
from snaketorch.training import fit
from tests.unit.example_study import example_spec
from tests.unit.prepared_by_hand import write_images
from tests.unit.trainings import keep_states, train

LARGE = {"model": {"channels": [4], "hidden": 2000}, "trainer": {"max_epochs": 1, "precision": "32-true"}}
CASES = {
    "adam": {},
    "sgd, without the best weights": {"optimizer": {"kind": "sgd"}, "checkpoint": {"save": "last"}},
    "an average": {"weight_averaging": {"kind": "ema"}},
    "double precision": {"trainer": {**LARGE["trainer"], "precision": "64-true"}},
    "a way back": {"trainer": {**LARGE["trainer"], "on_non_finite_loss": "restore"}},
}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_the_estimate_is_close_to_what_a_checkpoint_takes(tmp_path, monkeypatch, case):
    estimates = []
    monkeypatch.setattr(fit, "probe_room", lambda folder, needed: estimates.append(needed))
    keep_states(monkeypatch)
    train(example_spec("digits_cnn", 0, **{**LARGE, **CASES[case]}), write_images(tmp_path / "images"))
    (manifest,) = Path("state").rglob("checkpoints.json")
    (entry,) = json.loads(manifest.read_text())
    assert estimates[0] == pytest.approx(entry["bytes"], rel=0.1)


def test_a_disk_without_room_is_found_before_anything_is_trained(tmp_path, monkeypatch):
    from snaketorch.state import probe

    free = probe.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(probe.shutil, "disk_usage", lambda folder: free)
    with pytest.raises(DiskFull, match=r"has 1,000 bytes free, and the training needs [\d,]+ there: 3 checkpoints"):
        train(example_spec("digits_cnn", 0, **LARGE), write_images(tmp_path / "images"))
