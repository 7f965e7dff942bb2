"""Jobs that fail: which are tried again, what their logs keep, and what Snakemake says at the end."""

import re

import pytest

pytestmark = pytest.mark.workflow

MODEL = "results/experiments/gru/seed-0/model.ckpt"
LOG = "logs/train_model/gru/seed-0.log"


def runs(study) -> list[str]:
    """The step and the attempt, for each time that the step itself ran."""
    return (study.folder / "calls/runs").read_text().splitlines()


def summary(stderr: str) -> str:
    """What is said at the end of a run that failed, up to Snakemake's own last words."""
    return re.search(r"^\d+ jobs? failed:\n(.*?)(?=^Complete log)", stderr, re.MULTILINE | re.DOTALL)[0]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("bug", "a bug: KeyError: 'not there'"),
        ("configuration", "model.hidden: 7 does not go with the data; allowed: 8"),
        ("data", "no rows are left"),
    ],
)
def test_what_every_attempt_would_meet_runs_once(how, said, new_study):
    outcome = new_study.run_with_stub(MODEL, raises=("train", how))

    assert outcome.code == 1
    assert outcome.stderr.count("Trying to restart job") == 3
    assert runs(new_study) == ["train 1"]
    log = (new_study.folder / LOG).read_text()
    assert log.count("Not tried again") == 3
    assert said.removeprefix("a bug: ") in log.partition("===== Attempt 2")[0]
    told = summary(outcome.stderr)
    assert told.startswith("1 job failed:\n\n  train gru, seed 0\n    what   ")
    assert said in " ".join(told.split())
    assert f"log    {LOG}" in told
    assert not (new_study.folder / MODEL).exists()


def test_a_bug_is_tried_again_by_the_next_snakemake(new_study):
    new_study.run_with_stub(MODEL, raises=("train", "bug"))

    new_study.run_with_stub(MODEL, raises=("train", "bug"))

    assert runs(new_study) == ["train 1", "train 1"]


@pytest.mark.parametrize(
    ("how", "what"),
    [("killed once", "the job was killed, or crashed"), ("interrupted once", "the job was told to end")],
)
def test_what_was_cut_off_is_tried_again_and_said_at_the_end(how, what, new_study):
    outcome = new_study.run_with_stub(MODEL, raises=("train", how))

    assert outcome.code == 0, outcome.stderr
    assert runs(new_study) == ["train 1", "train 2"]
    assert "1 job failed at first and was done when tried again:" in outcome.stderr
    assert f"  train gru, seed 0: {what}; done at attempt 2\n" in outcome.stderr
    log = (new_study.folder / LOG).read_text()
    assert "===== Attempt 2, on " in log
    assert ("about to be killed" in log.partition("===== Attempt 2")[0]) == (how == "killed once")
    assert not list((new_study.folder / "state/failures").rglob("*.json"))


def test_a_job_may_need_every_attempt_that_it_has(new_study):
    outcome = new_study.run_with_stub(MODEL, raises=("train", "memory"))

    assert outcome.code == 1
    assert runs(new_study) == [f"train {number}" for number in (1, 2, 3, 4)]
    told = summary(outcome.stderr)
    assert "the host's memory is full (4 attempts)" in told
    assert "to do  raise resources.memory_gb" in told


def test_a_job_without_a_word_is_named_by_its_log(new_study):
    outcome = new_study.run_with_stub(MODEL, "results/datasets/digits/manifest.json", fails="prepare train")

    told = summary(outcome.stderr)
    assert told.startswith("2 jobs failed:")
    for name in ("digits", "sunspots"):
        assert f"  logs/prepare_dataset/{name}.log\n" in told


def test_only_failures_of_this_run_are_told(new_study):
    new_study.run_with_stub(MODEL, raises=("train", "bug"))

    outcome = new_study.run_with_stub("results/datasets/digits/manifest.json", fails="prepare")

    assert "train" not in summary(outcome.stderr)
    assert "1 job failed" in summary(outcome.stderr)


def test_a_run_without_failures_says_nothing_about_them(new_study):
    outcome = new_study.run_with_stub("results/datasets/digits/manifest.json")

    assert outcome.code == 0
    assert "failed" not in outcome.stderr


def test_every_step_of_the_workflow_is_told_its_attempt_and_its_log(new_study):
    new_study.run_with_stub()

    for words in new_study.calls():
        assert words[words.index("--attempt") + 1] == "1"
        assert (new_study.folder / words[words.index("--log") + 1]).is_file()
