"""How a training stands whose values come from a sweep."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from snaketorch.config.best import Best
from snaketorch.config.specs import TrainSpec
from snaketorch.state.identity import sweep_digests
from snaketorch.state.lock import sole_writer
from snaketorch.state.sweep_progress import SweepProgress, write_sweep_progress
from snaketorch.status import explain as explanation
from snaketorch.status.command import status
from snaketorch.status.dry_run import Planned, Reason
from snaketorch.status.outcome import Outcome, State
from tests.unit.status.made_study import DATASET, EXPERIMENT, RUN, MadeStudy, write, write_json

TUNE = {"num_samples": 4, "baseline": False, "space": {"optimizer.lr": {"loguniform": [1e-4, 1e-1]}}}
ASKED = SimpleNamespace(experiment="cnn", seed=0)
FOLDER = Path("results/experiments/cnn/tune")


@pytest.fixture
def study(tmp_path, monkeypatch) -> MadeStudy:
    """A prepared dataset, and an experiment with a sweep."""
    monkeypatch.chdir(tmp_path)
    study = MadeStudy()
    study.configure("experiments/cnn", EXPERIMENT | {"tune": TUNE, "seeds": [0]})
    study.prepare()
    return study


def sweep(study: MadeStudy) -> None:
    workflow = study.workflow
    record = {"spec": json.loads(workflow.tune_spec(ASKED)), "code_digest": workflow.tune_code(ASKED)}
    inputs = {"manifest": {"digest": "0123456789abcdef"}}
    found = {"metric": "val/accuracy", "best": {"trial": 2, "value": 0.975}, "trials": {"finished": 1, "stopped": 3}}
    write_json(FOLDER / "sweep.json", {"format": 1, "inputs": inputs, **record, **found})
    for name in ("trials.csv", "curves.csv", "figures/history.svg"):
        write(FOLDER / name, "")
    best = {"format": 1, "experiment": "cnn", "trial": 2, "values": {"optimizer.lr": 0.05}}
    (FOLDER / "best.yaml").write_text(yaml.safe_dump(best))


def train_with_best(study: MadeStudy) -> None:
    study.train()
    content = json.loads((RUN / "record.json").read_text())
    merged = Best.read(FOLDER / "best.yaml").put_into(TrainSpec.model_validate(content["spec"]))
    write_json(RUN / "record.json", content | {"spec": merged.model_dump(mode="json")})


def sweep_of(study: MadeStudy) -> Outcome:
    (experiment,) = study.survey("cnn").experiments
    return experiment.sweep


def state_folder(study: MadeStudy) -> Path:
    """Of the live state of the sweep that would run now."""
    workflow = study.workflow
    spec, code = json.loads(workflow.tune_spec(ASKED)), workflow.tune_code(ASKED)
    folder = Path("state/tune/cnn", sweep_digests(spec, code, "0123456789abcdef", {})[1])
    folder.mkdir(parents=True)
    progress = SweepProgress({"finished": 1}, 4, "val/accuracy", 0.9, 0, 60.0, datetime.now(UTC).isoformat())
    write_sweep_progress(folder, progress)
    return folder


def test_a_sweep_that_is_done_tells_its_best(study):
    assert sweep_of(study).state == State.WAITING

    sweep(study)

    assert sweep_of(study).state == State.DONE
    assert "sweep" in status(["cnn"], as_json=False, verify=False)
    said = "4 of 4 trials done (1 finished, 3 stopped early), best val/accuracy 0.975 (trial 2)"
    assert said in " ".join(status(["cnn"], as_json=False, verify=False).split())
    assert json.loads(status([], as_json=True, verify=False))["experiments"]["cnn"]["sweep"]["state"] == "done"


def test_a_sweep_that_was_cut_off_says_how_far_it_is(study):
    state_folder(study)

    assert sweep_of(study).state == State.INTERRUPTED
    text = " ".join(status(["cnn"], as_json=False, verify=False).split())
    assert "1 of 4 trials done (1 finished), best val/accuracy 0.9 (trial 0)" in text
    assert " left" not in text


def test_a_sweep_that_runs_says_who_runs_it(study):
    folder = state_folder(study)
    with sole_writer(folder):
        found = sweep_of(study)
    assert found.state == State.RUNNING
    assert f"process {os.getpid()}" in found.holder


def test_an_interrupted_sweep_of_another_space_is_not_this_one(study):
    state_folder(study)
    other = TUNE | {"space": {"optimizer.lr": {"loguniform": [1e-3, 1e-1]}}}
    study.configure("experiments/cnn", EXPERIMENT | {"tune": other, "seeds": [0]})
    assert sweep_of(study).state == State.WAITING


def test_an_experiment_without_a_sweep_has_no_row_for_it(study):
    study.configure("experiments/cnn", EXPERIMENT)
    assert sweep_of(study) is None


def test_a_training_waits_for_its_sweep(study):
    assert study.seed().training.state == State.WAITING
    assert "its sweep is not done" in study.seed().training.why


def test_the_values_of_the_sweep_are_no_change_of_the_configuration(study, monkeypatch):
    sweep(study)
    train_with_best(study)
    job = Planned("train_model", {"experiment": "cnn", "seed": "0"}, (), (Reason("Forced execution"),))
    monkeypatch.setattr(explanation, "dry_run", lambda snakefile: [job])

    assert explanation.explain("cnn").splitlines()[2:] == ["train_model cnn, seed 0", "    forced execution"]


def test_a_sweep_is_told_of_to_who_needs_its_model(study, monkeypatch):
    model = EXPERIMENT["model"] | {"pretrained": {"from_experiment": "cnn"}}
    study.configure("experiments/next", EXPERIMENT | {"seeds": [0], "model": model})
    job = Planned("tune_experiment", {"experiment": "cnn"}, (), (Reason("Forced execution"),))
    monkeypatch.setattr(explanation, "dry_run", lambda snakefile: [job])

    assert explanation.explain("next").splitlines() == [
        "For next, 1 job would run:",
        "",
        "tune_experiment cnn",
        "    forced execution",
    ]


def test_a_training_with_the_best_values_is_done_and_one_without_is_not(study):
    sweep(study)
    train_with_best(study)
    assert study.seed().training.state == State.DONE

    study.train()

    assert study.seed().training.why == ("optimizer.lr: 0.001 -> 0.05",)


def test_another_space_makes_the_sweep_out_of_date(study):
    sweep(study)
    train_with_best(study)

    other = TUNE | {"space": {"optimizer.lr": {"loguniform": [1e-3, 1e-1]}}}
    study.configure("experiments/cnn", EXPERIMENT | {"tune": other, "seeds": [0]})

    assert study.seed().training.why == ("its sweep is out of date",)


def test_other_data_make_the_sweep_out_of_date(study):
    sweep(study)
    train_with_best(study)

    study.configure("datasets/digits", DATASET | {"split": {"seed": 5}})

    assert study.seed().training.state == State.STALE


def test_values_that_no_longer_fit_are_no_crash(study):
    sweep(study)
    train_with_best(study)

    changed = EXPERIMENT | {"tune": TUNE, "seeds": [0]}
    (FOLDER / "best.yaml").write_text("nothing")
    study.configure("experiments/cnn", changed)

    assert study.seed().training.state == State.STALE
