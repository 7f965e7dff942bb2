"""A model that looks after itself: new rows come, `snakemake retrain` does the rest, there and back."""

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import study_process as study

pytestmark = pytest.mark.e2e

FILES = {
    "config/config.yaml": "study: things\n",
    "config/datasets/things.yaml": "source: {kind: table, path: data/things.csv, target: kind}\n",
    "config/datasets/batch.yaml": "source: {kind: table, path: data/batch.csv, target: kind}\n",
    "config/experiments/things.yaml": """\
task: tabular_classification
data: things
model: {kind: mlp, hidden: [8]}
optimizer: {kind: adam, lr: 0.02}
trainer: {max_epochs: 3, precision: 32-true}
register: {gate: {min: 0.8, margin: 0.15}, auto_promote: true}
monitor: {data: [batch]}
""",
}
RETRAINED = {
    *("prepare_dataset", "train_model", "evaluate_model", "summarise_experiment", "bundle_model"),
    *("register_model", "predict_dataset", "monitor_dataset", "settle_model"),
}


def rows(count: int, seed: int, shift: float = 0.0) -> list[str]:
    """Things of two kinds, which their size tells apart."""
    draw = np.random.default_rng(seed)
    large = draw.random(count) < 0.5
    sizes = draw.normal(4 * large, 1) + shift
    return [f"{size:.3f},{'large' if is_large else 'small'}" for size, is_large in zip(sizes, large, strict=True)]


@dataclass(frozen=True)
class Outcome:
    """What stands in the files and in MLflow after `snakemake retrain`."""

    rules: set[str]
    """That ran."""
    registration: dict[str, Any]
    settlement: dict[str, Any]
    alert: dict[str, Any]
    aliases: dict[str, str]
    monitored: dict[str, str]
    """What each version says of the batch."""
    moves: list[tuple[str, str]]
    """Of the audit: what was done, with which version."""


def retrain(folder: Path, things: list[str], batch: list[str]) -> Outcome:
    """With these raw files."""
    for name, lines in (("things", things), ("batch", batch)):
        (folder / f"data/{name}.csv").write_text("\n".join(["size,kind", *lines, ""]))
    result = study.run(folder, "retrain")
    assert result.returncode == 0, result.stdout
    made = folder / "results/experiments/things"
    names = ("registration.json", "settlement.json", "monitor/batch/alert.json")
    audit = map(json.loads, (folder / "results/audit.jsonl").read_text().splitlines())
    with closing(sqlite3.connect(folder / "results/mlflow.db")) as database:
        aliases = database.execute("SELECT alias, version FROM registered_model_aliases").fetchall()
        tags = "SELECT version, value FROM model_version_tags WHERE key = 'snaketorch.monitor.batch'"
        monitored = database.execute(tags).fetchall()
    return Outcome(
        set(study.jobs(result.stdout)),
        *(json.loads((made / name).read_text()) for name in names),
        {alias: str(version) for alias, version in aliases},
        {str(version): said for version, said in monitored},
        [(line["action"], line["version"]) for line in audit if line["state"] == "done"],
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("things")
    (folder / "data").mkdir()
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture(scope="module")
def first(folder) -> Outcome:
    """The first model."""
    return retrain(folder, rows(200, seed=0), rows(80, seed=1))


@pytest.fixture(scope="module")
def grown(folder, first) -> Outcome:
    """The raw file has grown, and the batch is like it."""
    return retrain(folder, rows(200, seed=0) + rows(60, seed=2), rows(90, seed=3))


@pytest.fixture(scope="module")
def shifted(folder, grown) -> Outcome:
    """It has grown again, and the batch is of larger things."""
    more = rows(60, seed=2) + rows(60, seed=4)
    return retrain(folder, rows(200, seed=0) + more, rows(90, seed=5, shift=3.0))


def test_the_first_model_is_promoted_watched_and_kept(first):
    assert first.rules >= RETRAINED
    assert (first.registration["decision"], first.settlement["decision"]) == ("accepted", "kept")
    assert first.aliases == {"candidate": "1", "champion": "1"}
    assert first.monitored == {"1": "ok"}


def test_new_rows_train_a_new_champion_that_stays_while_data_is_like_its_own(grown):
    assert grown.rules >= RETRAINED
    assert grown.registration["champion"]["version"] == "1"
    assert grown.registration["champion"]["same_data"] is False, "it was tested on the new test split"
    assert (grown.alert["alert"], grown.settlement["decision"]) == (False, "kept")
    assert grown.aliases == {"candidate": "2", "champion": "2", "previous_champion": "1"}
    assert grown.monitored == {"1": "ok", "2": "ok"}


def test_a_new_champion_that_meets_other_data_goes_back(shifted):
    assert shifted.rules >= RETRAINED
    assert shifted.registration["aliases"]["champion"] == "3", "it passed the gate"
    assert shifted.alert["alert"] is True
    assert (shifted.settlement["decision"], shifted.settlement["version"]) == ("rolled back", "3")
    assert any("size" in reason for reason in shifted.settlement["alerts"])
    assert shifted.aliases == {"candidate": "3", "champion": "2", "previous_champion": "3"}
    assert shifted.monitored == {"1": "ok", "2": "ok", "3": "alert"}
    assert shifted.moves[-2:] == [("promote", "3"), ("rollback", "3")]


def test_without_new_data_nothing_runs(folder, shifted):
    assert study.jobs(study.run(folder, "-n", "retrain").stdout) == {}
