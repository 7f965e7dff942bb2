"""A result is never shown as current when the training that would replace it has failed."""

import json
import subprocess
import sys

import pytest
import study_process
from end_of_training import differences
from figures import FULL, prove
from watched_study import WatchedStudy

pytestmark = pytest.mark.e2e

NETWORK = """\
from torch import nn


class Own(nn.Sequential):
    def __init__(self, broken=False):
        super().__init__(nn.Flatten(), nn.Linear(64, 32), nn.Linear(32, 32), nn.Linear(32, 10))
        self.broken = broken

    def forward(self, image):
        if self.broken and self.training:
            raise ValueError("this network is broken")
        return super().forward(image)
"""

GOOD = {"model": {"kind": "custom", "class_path": "own.Own"}, "optimizer": {"lr": 0.01}, "trainer": {"max_epochs": 2}}
CHANGES = {
    "a learning rate with which the loss diverges": {"optimizer": {"lr": 10.0}},
    "a network of the user's that raises": {"model": {"init_args": {"broken": True}}},
}
RUNS = {"at first": [], "again, for the page": ["report"], "once more": []}
"""Runs of Snakemake with the change, and what they ask for."""
if not FULL:
    CHANGES, RUNS = (dict(list(those.items())[:number]) for those, number in ((CHANGES, 1), (RUNS, 2)))


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> WatchedStudy:
    """A study of which everything has run."""
    study = WatchedStudy.create(tmp_path_factory.mktemp("finished") / "study", {})
    (study.folder / "own.py").write_text(NETWORK)
    study.write("experiments/changed.yaml", _experiment({}))
    code, said = study.run()
    assert code == 0, said
    return study


def test_a_change_that_fails_leaves_no_result_that_looks_current(finished, tmp_path):
    wrong = []
    for number, (name, change) in enumerate(CHANGES.items()):
        study = finished.copy(tmp_path / f"study-{number}")
        study.write("experiments/changed.yaml", _experiment(change))
        for attempt, target in RUNS.items():
            code, said = study.run(*target)
            if code == 0 or "Nothing to be done" in said or "train_model" not in said:
                wrong.append(f"{name}, {attempt}: exit code {code}: {said[-3000:]}")
            wrong += [f"{name}, {attempt}: status shows {what}" for what in _shown_as_done(study)]
        if not FULL:
            continue
        study.write("experiments/changed.yaml", _experiment({}))
        code, said = study.run()
        if code != 0 or (different := differences(finished.results(), study.results())):
            wrong.append(f"{name}, changed back: exit code {code}, other results: {different}: {said[-3000:]}")
        if not_done := {"the training", "the test", "the summary", "the page"} - set(_shown_as_done(study)):
            wrong.append(f"{name}, changed back: status does not show as done: {', '.join(not_done)}")
    prove(
        7,
        "a change makes a training fail; run again: 'Nothing to be done', or something old shown as done by status",
        "never",
        "never" if not wrong else f"{len(wrong)} times",
        wrong,
        "; ".join(CHANGES),
    )


def _experiment(change: dict[str, dict]) -> dict[str, object]:
    merged: dict[str, object] = {"task": "image_classification", "data": "digits", "seeds": [0]}
    for sections in (GOOD, {"optimizer": {"kind": "sgd"}, "trainer": {"precision": "32-true"}}, change):
        for section, values in sections.items():
            merged[section] = {**merged.get(section, {}), **values}
    return merged


def _shown_as_done(study: WatchedStudy) -> list[str]:
    """What of the experiment ``status`` calls done."""
    command = [sys.executable, "-m", "snaketorch", "status", "--json"]
    done = subprocess.run(
        command, cwd=study.folder, env=study_process.environment(), capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    experiment = found["experiments"]["changed"]
    seed = experiment["seeds"]["0"]
    parts = {
        "the training": seed["training"],
        "the test": seed["test"],
        "the summary": experiment["summary"],
        "the page": found["report"],
    }
    return [name for name, part in parts.items() if part and part["state"] == "done"]
