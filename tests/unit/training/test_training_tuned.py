"""A training with the values that a sweep found, and what its record says of that."""

import hashlib
import json
from pathlib import Path

import pytest
import yaml

from snaketorch.__main__ import main
from tests.unit.example_study import example_spec

SMALL = {
    "model": {"channels": [4], "hidden": 8},
    "trainer": {"max_epochs": 1, "precision": "32-true"},
    "data_loader": {"batch_size": 512},
}
FOUND = {"format": 1, "experiment": "digits_cnn", "trial": 7, "values": {"optimizer.lr": 0.02, "model.dropout": 0.4}}


@pytest.fixture
def train_by_hand(digits, tmp_path, monkeypatch):
    """Trains as a job does, with the result of a sweep or without one; gives the exit status and the record."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SNAKETORCH_STUDY", "small")
    monkeypatch.setenv("SNAKETORCH_TRACKING", "off")

    def run(found: dict | None) -> tuple[int, dict | None]:
        best = []
        if found is not None:
            Path("best.yaml").write_text(yaml.safe_dump(found), "utf-8")
            best = ["--best", "best.yaml"]
        spec = example_spec("digits_cnn", 0, **SMALL).model_dump_json()
        files = [word for name in ("model", "history", "record", "samples") for word in (f"--{name}", f"out/{name}")]
        status = main(
            ["train", "--spec", spec, "--code", "c", "--manifest", str(digits), "--state", "state", *files, *best]
        )
        return status, json.loads(Path("out/record").read_text("utf-8")) if status == 0 else None

    return run


def test_the_record_names_the_sweep_whose_values_a_training_has(train_by_hand):
    status, record = train_by_hand(FOUND)

    assert status == 0
    content = Path("best.yaml").read_bytes()
    assert record["tuned"] == {"path": "best.yaml", "sha256": hashlib.sha256(content).hexdigest(), "trial": 7}
    assert (record["spec"]["optimizer"]["lr"], record["spec"]["model"]["dropout"]) == (0.02, 0.4)


def test_the_record_of_a_training_without_a_sweep_names_none(train_by_hand):
    assert "tuned" not in train_by_hand(None)[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"experiment": "digits_lstm"}, "the best values are of digits_lstm, and digits_cnn is to be trained"),
        ({"values": {"optimizer.lr": -1.0}}, "do not fit its configuration"),
        ({"format": 9}, "is of format 9, and this version reads 1"),
        ({"values": None}, "is not the result of a sweep"),
    ],
)
def test_what_is_not_its_sweep_is_refused(train_by_hand, change: dict, said: str, caplog):
    status, _ = train_by_hand(FOUND | change)

    assert status != 0 and said in caplog.text
    assert not Path("out").exists()
