import fcntl
import html
import json
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from snaketorch.errors import UserError
from snaketorch.failures.classify import Failure
from snaketorch.failures.notes import Note
from snaketorch.freshness import outdated_page, page_is_made_from
from snaketorch.state.attempts import Attempts
from snaketorch.state.checkpoints import Entry, Identity, write_manifest
from snaketorch.state.holder import Holder
from snaketorch.state.progress import Progress, write_progress
from snaketorch.status import fingerprints
from snaketorch.status.jobs import job_of
from snaketorch.status.outcome import State
from tests.unit.status.made_study import DATASET, EXPERIMENT, RUN, MadeStudy, spoil

FAILURE = {"kind": "bug", "message": "it broke\nhere"}


@pytest.fixture
def study(tmp_path, monkeypatch) -> MadeStudy:
    monkeypatch.chdir(tmp_path)
    return MadeStudy()


def progress(**changes) -> Progress:
    values = {
        "epoch": 7,
        "max_epochs": 20,
        "batch": 5,
        "batches": 10,
        "seconds": 30.0,
        "seconds_left": 50.0,
        "metrics": {"val/loss": 0.5},
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "peak_memory_mb": 100.0,
        "host_memory_mb": 100.0,
        "pid": 4242,
        "host": "node7",
    }
    return Progress(**values | changes)


def training_job(study: MadeStudy):
    asked, workflow = SimpleNamespace(experiment="cnn", seed=0), study.workflow
    return job_of("train", json.loads(workflow.train_spec(asked)), workflow.train_code(asked), {})


def test_a_finished_study_is_done(study):
    found = study.finish().survey()

    assert {outcome.state for outcome in found.outcomes} == {State.DONE}, [x.why for x in found.outcomes]
    assert found.counts == {State.DONE: 2}
    assert found.experiments[0].seeds[0].result == ("test/accuracy", 0.98765)


def test_a_study_of_which_nothing_has_run_waits(study):
    found = study.survey()

    assert {outcome.state for outcome in found.outcomes} == {State.WAITING}
    assert study.seed().training.why == ("the dataset digits is waiting",)


def test_a_training_whose_test_is_not_there_is_not_done(study):
    study.prepare()
    study.train()

    seed = study.seed()
    assert (seed.training.state, seed.test.state, seed.state) == (State.DONE, State.WAITING, State.WAITING)


def test_an_edited_key_makes_a_training_stale_and_is_named(study):
    study.finish()
    study.configure("experiments/cnn", {**EXPERIMENT, "optimizer": {"kind": "adamw", "lr": 0.002}})

    found = study.survey()
    assert study.seed().training.state is State.STALE
    assert study.seed().training.why == ("optimizer.lr: 0.001 -> 0.002",)
    assert found.experiments[0].summary.why[0] == "optimizer.lr: 0.001 -> 0.002"
    assert found.page.state is State.STALE


def test_an_edited_key_of_the_test_leaves_the_training_done(study):
    study.finish()
    study.configure("experiments/cnn", {**EXPERIMENT, "evaluate": {"examples": 3}})

    seed = study.seed()
    assert seed.training.is_done
    assert (seed.test.state, seed.test.why) == (State.STALE, ("evaluate.examples: 12 -> 3",))
    assert seed.state is State.STALE


def test_an_edited_dataset_makes_what_is_made_from_it_stale(study):
    study.finish()
    study.configure("datasets/digits", {**DATASET, "split": {"val": 0.2}})

    found = study.survey()
    assert found.datasets["digits"].why == ("split.val: 0.1 -> 0.2",)
    assert study.seed().training.why == ("the dataset digits is stale",)


@pytest.mark.parametrize(
    ("path", "keys", "value", "why"),
    [
        ("record.json", ["code_digest"], "another", "record.json was made by other code than this step has now"),
        ("record.json", ["inputs", "manifest", "digest"], "another", "model.ckpt was trained on another version"),
        ("record.json", ["format"], 2, "has format 2"),
        ("record.json", ["outputs"], None, "record.json is of another version, or damaged"),
        ("record.json", ["outputs", "model"], "another", "model.ckpt is not the file that record.json tells of"),
    ],
)
def test_a_record_that_does_not_fit_makes_a_training_stale(path, keys, value, why, study):
    study.finish()
    spoil(RUN / path, *keys, to=value)

    training = study.seed().training
    assert training.state is State.STALE
    assert why in training.why[0]


@pytest.mark.parametrize("file", ["model.ckpt", "history.csv"])
def test_a_changed_file_is_seen_though_it_was_known(file, study):
    study.finish()
    sha256 = remembering(study)
    (RUN / file).write_text("another")

    assert sha256(RUN / file) != sha256.known[str(RUN / file)]["sha256"]
    assert study.seed().training.why == (f"{file} is not the file that record.json tells of",)


def remembering(study: MadeStudy):
    """Remembers the digests of the study's files as if it had asked a while ago."""
    settled, fingerprints.SETTLED_SECONDS = fingerprints.SETTLED_SECONDS, -1.0
    try:
        sha256 = fingerprints.Fingerprints()
        for path in RUN.glob("*.*"):
            sha256(path)
        sha256.remember({})
    finally:
        fingerprints.SETTLED_SECONDS = settled
    return fingerprints.Fingerprints()


@pytest.mark.parametrize("file", ["model.ckpt", "history.csv", "samples"])
def test_a_missing_file_is_named(file, study):
    study.finish()
    path = RUN / file
    (path / "none").unlink() if path.is_dir() else None
    path.rmdir() if path.is_dir() else path.unlink()

    assert study.seed().training.why == (f"{file} is missing",)


def test_metrics_of_another_model_are_stale(study):
    study.finish()
    (RUN / "model.ckpt").write_text("trained again")
    spoil(RUN / "record.json", "outputs", "model", to=remembering(study)(RUN / "model.ckpt"))

    seed, (experiment,) = study.seed(), study.survey("cnn").experiments
    assert seed.training.is_done
    assert "tells of another model than the one beside it" in seed.test.why[0]
    assert not experiment.summary.is_done


def test_a_summary_of_other_metrics_is_stale(study):
    study.finish()
    spoil(RUN / "metrics.json", "metrics", "test/accuracy", to=1.0)

    (experiment,) = study.survey("cnn").experiments
    assert experiment.summary.why == (f"summary.json was made before {RUN}/metrics.json changed",)


def test_a_page_of_another_summary_is_stale(study):
    study.finish()
    spoil(Path("results/experiments/cnn/summary.json"), "description", to="another")

    assert study.survey().page.why == ("it was made before the summary of cnn changed",)


def test_a_page_of_very_many_experiments_is_up_to_date(tmp_path):
    names = [f"digits_cnn-lr-0_00{number}" for number in range(2000)]
    made_from = page_is_made_from({}, "code", dict.fromkeys(names, tmp_path), lambda path: "0" * 64)
    page = tmp_path / "report.html"
    page.write_text(f'<head><meta name="made-from" content="{html.escape(made_from)}"></head>')

    assert list(outdated_page(page, made_from)) == []


def test_a_page_that_says_nothing_of_its_origin_is_stale(study):
    study.finish()
    Path("results/report.html").write_text("<html></html>")

    assert study.survey().page.why == ("it does not say what it was made from",)


def test_arrays_are_compared_by_size_and_on_request_by_content(study):
    study.finish()
    array = Path("results/datasets/digits/arrays/train_image.npy")
    array.write_text("PIXELS")

    why = f"{array} is not the file that its manifest tells of"
    assert study.survey().datasets["digits"].is_done
    assert study.survey(verify=True).datasets["digits"].why == (why,)
    array.write_text("pixel")
    assert study.survey().datasets["digits"].why == (why,)


def test_who_holds_the_state_folder_runs_the_training(study):
    study.prepare()
    folder = study.state_folder()
    write_progress(folder, progress())
    (folder / "lock").write_text(Holder(host=socket.gethostname(), pid=os.getpid(), job="77").to_json())
    program = (
        "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True); input()"
    )
    trainer = subprocess.Popen(
        [sys.executable, "-c", program, folder / "lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    trainer.stdout.readline()
    try:
        training = study.seed().training
    finally:
        trainer.communicate("\n")

    assert training.state is State.RUNNING
    assert "batch job 77" in training.holder
    assert training.progress.share == 0.375


def test_a_training_that_prepares_itself_runs_too(study):
    study.prepare()
    trainer = subprocess.Popen([sys.executable, "-c", "input()", "train"], stdin=subprocess.PIPE, text=True)
    attempts = Attempts(training_job(study).attempts, [], {})
    attempts.begin(1, Path("state/train"))
    content = json.loads(attempts.path.read_text())
    content["attempts"][0]["pid"] = trainer.pid
    attempts.path.write_text(json.dumps(content))
    while b"input" not in Path(f"/proc/{trainer.pid}/cmdline").read_bytes():
        time.sleep(0.01)
    try:
        running = study.seed().training
    finally:
        trainer.communicate("\n")

    assert running.state is State.RUNNING
    assert study.seed().training.state is State.INTERRUPTED, "its process is gone"


def test_a_training_that_nobody_holds_goes_on_where_its_last_checkpoint_is(study):
    study.prepare()
    folder = study.state_folder()
    write_progress(folder, progress())
    (folder / "step-74.ckpt").write_bytes(b"1234")
    training = Identity("", "", "")
    entries = [
        Entry("step-74.ckpt", "", 4, 74, 7, "", training),
        Entry("step-75.ckpt", "", 4, 75, 7, "", training),
    ]
    write_manifest(folder, entries)

    found = study.seed().training
    assert (found.state, found.why) == (State.INTERRUPTED, ("goes on after epoch 7 of 20, batch 4 of 10 of the next",))


def test_the_state_of_another_configuration_is_not_its_own(study):
    study.prepare()
    study.state_folder()
    study.configure("experiments/cnn", {**EXPERIMENT, "optimizer": {"kind": "adamw", "lr": 0.002}})

    assert study.seed().training.state is State.WAITING


def test_a_failure_is_told_as_long_as_it_is_of_the_present_configuration(study):
    study.prepare()
    job = training_job(study)
    details = {"where": "here", "traceback": "", "is_users": False}
    Note.of(job, Failure(FAILURE["kind"], FAILURE["message"], details), 2).save(job)

    failed = study.seed().training
    assert failed.state is State.FAILED
    assert {name: failed.failure[name] for name in ("kind", "message", "attempt", "retried")} == {
        **FAILURE,
        "attempt": 2,
        "retried": False,
    }
    study.configure("experiments/cnn", {**EXPERIMENT, "optimizer": {"kind": "adamw", "lr": 0.002}})
    assert study.seed().training.state is State.WAITING


def test_what_was_told_to_end_has_not_failed(study):
    study.prepare()
    job = training_job(study)
    Note.of(job, Failure("timeout", "its time was over", {}), 1).save(job)
    study.state_folder()

    found = study.seed().training
    assert (found.state, found.failure["kind"]) == (State.INTERRUPTED, "timeout")
    assert found.why == ("begins anew: there was no checkpoint yet",)


def test_only_some_experiments_can_be_asked_for(study):
    study.configure("experiments/wide", {"extends": "cnn", "model": {"channels": [8]}})

    found = study.survey("wide")
    assert [experiment.name for experiment in found.experiments] == ["wide"]
    assert found.page is None


def test_an_unknown_experiment_is_refused_with_those_that_there_are(study):
    with pytest.raises(UserError, match=r"no experiment is called 'cnm'; allowed: cnn; did you mean 'cnn'\?"):
        study.survey("cnm")


def test_it_takes_no_lock_that_a_training_could_miss(study):
    study.prepare()
    folder = study.state_folder()
    (folder / "lock").touch()
    study.survey()

    with (folder / "lock").open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
