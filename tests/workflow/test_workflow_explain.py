"""`python -m snaketorch explain` beside the real Snakemake: it names the jobs that would run, and the keys."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.workflow


def explain(study, *arguments: str) -> str:
    """What the command says in the folder of a study."""
    done = subprocess.run(
        [sys.executable, "-m", "snaketorch", "explain", *arguments],
        cwd=study.folder,
        env={**study.snakemake.environment, "PYTHONPATH": str(study.repository)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_of_a_finished_study_nothing_would_run(finished_study):
    assert explain(finished_study, "cnn") == "Nothing would run again for cnn: it is up to date.\n"


def test_the_key_that_was_edited_is_named_with_the_jobs_that_it_reaches(finished_study):
    finished_study.edit("experiments/cnn.yaml", {"optimizer.lr": 0.01})
    finished_study.edit("datasets/sunspots.yaml", {"split.val": 0.1})

    said = explain(finished_study, "cnn")
    jobs, changed = finished_study.dry_run().jobs, "        optimizer.lr: 0.003 -> 0.01"
    own = {job for job in jobs if job.split()[1:2] == ["cnn"]} | {"report_study"}
    heading, _, *lines = said.splitlines()
    assert heading == f"For cnn, {len(own)} jobs would run:"
    assert lines[:3] == ["train_model cnn, seeds 0, 1", "    params have changed since last execution:", changed]
    assert "    input files updated by another job: train_model cnn, its seed" in lines
    assert "prepare_dataset sunspots" not in lines
    assert lines[-1] == f"{len(jobs) - len(own)} other jobs would run, of the rest of the study."

    of_the_data = explain(finished_study, "gru", "--seed", "0").splitlines()
    assert of_the_data[2:5] == [
        "prepare_dataset sunspots",
        "    params have changed since last execution:",
        "        split.val: 0.15 -> 0.1",
    ]
    assert "    input files updated by another job: prepare_dataset sunspots" in of_the_data
