"""The command line: what Snakemake is asked, and what it asks of the steps."""

import os
import re
import resource
import shutil
import subprocess
import sys

import pytest
from expected_jobs import ALL, REPORT, from_train

from snaketorch.commands.parser import build_parser
from snaketorch.config import specs
from snaketorch.provenance import canonical_json

pytestmark = pytest.mark.workflow

SPECS = {
    "prepare": specs.PrepareSpec,
    "train": specs.TrainSpec,
    "evaluate": specs.EvaluateSpec,
    "summarise": specs.SummariseSpec,
    "report": specs.ReportSpec,
}


def test_every_command_is_understood_by_its_step(finished_study):
    calls = finished_study.calls()

    assert len(calls) == len(ALL)
    for call in calls:
        assert call[:2] == ["-m", "snaketorch"]
        arguments = build_parser().parse_args(call[2:])
        if arguments.step in SPECS:
            spec = SPECS[arguments.step].model_validate_json(arguments.spec)
            assert canonical_json(spec.model_dump(mode="json")) == arguments.spec, "nothing is lost on the way"
            assert re.fullmatch("[0-9a-f]{16}", arguments.code)


def test_jobs_find_the_package_and_the_settings_of_the_study(finished_study):
    found = finished_study.environment_of_jobs()

    assert found["PYTHONPATH"] == str(finished_study.repository)
    assert found["SNAKETORCH_STUDY"] == "small"
    assert found["SNAKETORCH_TRACKING"] == "on"
    assert found["SNAKETORCH_PARENT"].isdigit()
    assert "SNAKETORCH_TRACKING_URI" not in found


def test_odd_letters_in_paths_and_settings_reach_the_jobs_as_they_are(new_study, repository, tmp_path):
    uri = "https://mlflow.example.org/$HOME/{it's}/`id`;a=1&b=\\"
    new_study.repository = shutil.copytree(repository, tmp_path / 'it\'s a "lab" $HOME')
    new_study.edit("config.yaml", {"tracking.uri": uri})

    outcome = new_study.run_with_stub("prepare")

    assert outcome.code == 0, outcome.stderr
    found = new_study.environment_of_jobs()
    assert found["PYTHONPATH"] == str(new_study.repository)
    assert found["SNAKETORCH_TRACKING_URI"] == uri


@pytest.mark.parametrize(
    "target", ["results/experiments/nope/summary.json", "results/datasets/nope/manifest.json", "nope"]
)
def test_a_target_that_is_not_there_is_named(target, new_study):
    outcome = new_study.dry_run(target)

    assert outcome.code == 1
    assert f"No rule to produce {target}" in outcome.stdout + outcome.stderr
    assert "Traceback" not in outcome.stdout + outcome.stderr


def test_values_on_the_command_line_go_first(finished_study):
    override = "experiments={lstm: {model: {hidden: 99}}, gru: {optimizer: {lr: 1e-2}}}"

    assert finished_study.dry_run("--config", override).jobs == from_train("lstm", "gru")
    assert finished_study.dry_run("--config", "run=[cnn, gru]").jobs == REPORT


def test_a_wrong_value_on_the_command_line_is_refused(new_study):
    outcome = new_study.dry_run("--config", "experiments={lstm: {model: {hiden: 99}}}")

    assert outcome.code == 1
    assert "--config: experiments.lstm.model.hiden: unknown key" in outcome.stderr


def test_problems_are_told_in_a_moment_and_nothing_starts(new_study, snakemake):
    """As a user does it: a Snakemake of its own, from the folder of the study."""
    new_study.edit("experiments/lstm.yaml", {"optimizer.lr": "fast"})
    new_study.edit("datasets/sunspots.yaml", {"split.tset": 0.2})
    snakefile = os.path.relpath(new_study.repository / "Snakefile", new_study.folder)

    before = seconds_of_children()
    outcome = subprocess.run(
        [sys.executable, "-m", "snakemake", "-s", snakefile, "-c2"],
        cwd=new_study.folder,
        env=snakemake.environment,
        capture_output=True,
        text=True,
        timeout=600,
    )

    assert seconds_of_children() - before < 20, "promised are 5 s, on a machine that is not busy"
    assert outcome.returncode == 1
    assert "The configuration has 2 problems; no job was started:" in outcome.stderr
    assert re.search(r"^  config/datasets/sunspots.yaml:\d+: split.tset: unknown key", outcome.stderr, re.MULTILINE)
    assert re.search(r"^  config/experiments/lstm.yaml:\d+: optimizer.lr: 'fast' ", outcome.stderr, re.MULTILINE)
    assert "Traceback" not in outcome.stderr
    assert not (new_study.folder / "results").exists()
    assert not (new_study.folder / "logs").exists()


def seconds_of_children() -> float:
    """That processors have worked for the processes that have ended: what else the machine does is no matter of it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_another_folder_can_be_named(new_study, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    outcome = new_study.snakemake.run(elsewhere, new_study.repository, "-n", "--directory", str(new_study.folder))

    assert outcome.jobs == ALL
    assert list(elsewhere.iterdir()) == []


def test_a_folder_without_a_configuration_is_told_what_is_missing(new_study):
    shutil.rmtree(new_study.folder / "config")

    outcome = new_study.dry_run()

    assert outcome.code == 1
    assert "config/config.yaml" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_values_of_the_configuration_are_never_run_by_the_shell(new_study):
    mark = new_study.folder / "mark"
    text = "'; touch mark #$(touch mark)`touch mark`{params} \\"
    new_study.edit("config.yaml", {"report.title": text})
    new_study.edit("experiments/lstm.yaml", {"description": text})

    assert new_study.run_with_stub().code == 0
    assert not mark.exists()
    (call,) = (call for call in new_study.calls() if call[2] == "report")
    assert specs.ReportSpec.model_validate_json(build_parser().parse_args(call[2:]).spec).title == text
