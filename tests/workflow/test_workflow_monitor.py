"""Monitoring in the workflow: its jobs, what they need, and what an edit of it reruns."""

import pytest
from expected_jobs import ALL

pytestmark = pytest.mark.workflow

WATCHING = {"bundle_model lstm", "predict_dataset lstm thumbnails", "monitor_dataset lstm thumbnails"}


def test_a_dataset_that_is_watched_is_predicted_and_compared(new_study):
    new_study.edit("experiments/lstm.yaml", {"monitor": {"data": ["thumbnails"]}})

    assert _named(new_study.dry_run().jobs) == ALL | WATCHING


def test_an_edit_of_the_thresholds_trains_and_predicts_nothing(new_study):
    new_study.edit("experiments/lstm.yaml", {"monitor": {"data": ["thumbnails"]}})
    new_study.run_with_stub()
    assert new_study.dry_run().jobs == set()

    new_study.edit("experiments/lstm.yaml", {"monitor.thresholds": {"psi": 0.3}})

    assert _named(new_study.dry_run().jobs) == {"monitor_dataset lstm thumbnails"}


def test_watching_is_a_target(new_study):
    new_study.edit("experiments/lstm.yaml", {"monitor": {"data": ["thumbnails"]}})

    jobs = _named(new_study.dry_run("monitor").jobs)

    assert jobs == WATCHING | {"prepare_dataset thumbnails", "train_model lstm 0"}


def _named(jobs: set[str]) -> set[str]:
    """The same, whichever order the wildcards of a job are told in."""
    watched = {"lstm", "thumbnails"}
    return {f"{job.split()[0]} lstm thumbnails" if set(job.split()[1:]) == watched else job for job in jobs}
