import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from snaketorch.dag.code import ROOT
from snaketorch.errors import UserError
from snaketorch.status import explain as explanation
from snaketorch.status.dry_run import Planned, Reason, find_snakefile, planned
from snaketorch.status.explain import explain
from tests.unit.status.made_study import EXPERIMENT, MadeStudy, spoil

SAID = """\
Building DAG of jobs...
[Sat Nov 21 19:22:54 2026]
rule train_model:
    input: results/datasets/digits/manifest.json
    output: results/experiments/cnn/seed-0/model.ckpt, results/experiments/cnn/seed-0/record.json
    log: logs/train_model/cnn/seed-0.log
    jobid: 6
    reason: {reason}
    wildcards: experiment=cnn, seed=0
    resources: tmpdir=/tmp, runtime=60
localrule all:
    input: results/experiments/cnn/seed-0/model.ckpt
    jobid: 0
    reason: Input files updated by another job: results/experiments/cnn/seed-0/model.ckpt
"""
PARAMS = "Params have changed since last execution"
CHANGED = f"{PARAMS}: Union of exclusive params before and now across all output: before: {{before}} now: {{now}} "


def reasons(text: str) -> tuple[Reason, ...]:
    (job,) = planned(SAID.format(reason=text))
    return job.reasons


def test_jobs_are_read_with_their_wildcards_and_targets_are_left_out():
    (job,) = planned(SAID.format(reason="Forced execution"))

    assert (job.rule, job.wildcards) == ("train_model", {"experiment": "cnn", "seed": "0"})
    assert job.outputs[1] == "results/experiments/cnn/seed-0/record.json"
    assert job.reasons == (Reason("Forced execution"),)


def test_several_reasons_are_told_apart():
    found = reasons("Missing output files: a/b, c; Input files updated by another job: d; Code has changed since last")

    assert [(reason.words, reason.files) for reason in found] == [
        ("Missing output files", ("a/b", "c")),
        ("Input files updated by another job", ("d",)),
        ("Code has changed since last", ()),
    ]


def test_parameters_are_read_as_they_were_given():
    before = {"lr": 0.1, "description": 'it\'s "so"; now: before: [1, 2]'}
    texts = {"before": repr(json.dumps(before)) + ",'0123'", "now": "'4567',['--uses', 'a=b'],3"}
    (found,) = reasons(CHANGED.format(**texts))

    assert found.words == PARAMS
    assert found.before == (before, "0123")
    assert found.now == ("4567", ["--uses", "a=b"], "3")


def test_parameters_that_only_came_are_read():
    (found,) = reasons(CHANGED.format(before="<nothing exclusive>", now="'abc'"))

    assert (found.before, found.now) == ((), ("abc",))


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return MadeStudy()


def says(monkeypatch, *jobs: Planned) -> None:
    monkeypatch.setattr(explanation, "dry_run", lambda snakefile: list(jobs))


def job(rule: str, *reason: Reason, outputs=(), **wildcards: str) -> Planned:
    return Planned(rule, wildcards, tuple(outputs), reason)


def params(study, changed: str) -> Reason:
    """As of a training whose learning rate was another."""
    now = json.loads(study.workflow.train_spec(SimpleNamespace(experiment="cnn", seed=0)))
    before = json.loads(json.dumps(now))
    before["optimizer"]["lr"] = 0.1
    return Reason(PARAMS, before=(before, "old"), now=(now, changed))


def code_of(study) -> str:
    return study.workflow.train_code(SimpleNamespace(experiment="cnn", seed=0))


def test_the_key_that_changed_is_named(study, monkeypatch):
    says(monkeypatch, job("train_model", params(study, "other"), experiment="cnn", seed="0"))

    assert explain("cnn").splitlines()[2:] == [
        "train_model cnn, seed 0",
        "    params have changed since last execution:",
        "        optimizer.lr: 0.1 -> 0.001",
    ]


def test_changed_code_is_named(study, monkeypatch):
    says(monkeypatch, job("train_model", params(study, code_of(study)), experiment="cnn", seed="0"))

    assert explain("cnn").splitlines()[-1] == "        the code of this step"


def test_the_modules_that_changed_since_the_commit_of_the_record_are_named(study, monkeypatch):
    study.finish()
    first = subprocess.run(["git", "-C", ROOT, "rev-list", "--max-parents=0", "HEAD"], capture_output=True, text=True)
    if first.returncode:
        pytest.skip("no checkout")
    record = Path("results/experiments/cnn/seed-0/record.json")
    spoil(record, "git", to={"commit": first.stdout.split()[0], "dirty": True})
    says(monkeypatch, job("train_model", params(study, code_of(study)), experiment="cnn", seed="0"))

    text = " ".join(explain("cnn").split())
    assert "which had changes that were not committed: snaketorch." in text


def test_what_follows_from_another_job_names_it_and_what_changed_besides(study, monkeypatch):
    study.finish()
    study.configure("experiments/cnn", {**EXPERIMENT, "trainer": {"max_epochs": 21}})
    manifest = "results/datasets/digits/manifest.json"
    says(
        monkeypatch,
        job("prepare_dataset", Reason("Forced execution"), outputs=[manifest], dataset="digits"),
        *(
            job("train_model", Reason("Input files updated by another job", (manifest,)), experiment="cnn", seed=seed)
            for seed in ("0", "1")
        ),
    )

    assert explain("cnn").splitlines() == [
        "For cnn, 3 jobs would run:",
        "",
        "prepare_dataset digits",
        "    forced execution",
        "",
        "train_model cnn, seeds 0, 1",
        "    input files updated by another job: prepare_dataset digits",
        "    besides:",
        "        trainer.max_epochs: 20 -> 21",
    ]


def test_jobs_of_other_experiments_are_only_counted(study, monkeypatch):
    study.configure("experiments/wide", {"extends": "cnn", "model": {"channels": [8]}})
    says(monkeypatch, job("train_model", Reason("Forced execution"), experiment="wide", seed="0"))

    assert explain("cnn") == (
        "Nothing would run again for cnn: it is up to date. 1 other job would run, of the rest of the study."
    )
    assert explain("wide", 0).splitlines()[0] == "For wide, seed 0, 1 job would run:"
    assert explain("wide", 1).startswith("Nothing would run again for wide, seed 1")


def test_unknown_names_and_seeds_are_refused(study):
    with pytest.raises(UserError, match=r"no experiment is called 'cmn'; allowed: cnn; did you mean 'cnn'\?"):
        explain("cmn")
    with pytest.raises(UserError, match=r"cnn has no seed 7; allowed: 0, 1"):
        explain("cnn", 7)


def test_the_snakefile_of_the_folder_goes_first(study):
    assert find_snakefile().name == "Snakefile"
    assert find_snakefile().is_absolute()
    Path("workflow").mkdir()
    Path("workflow/Snakefile").touch()
    assert str(find_snakefile()) == "workflow/Snakefile"
