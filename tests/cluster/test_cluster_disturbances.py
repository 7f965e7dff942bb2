"""Whatever happens to a training on the cluster, it goes on and ends as if nothing had happened."""

import sqlite3
from datetime import timedelta

import pytest
import torch
from trained_models import weights

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="session")
def outcome(cluster, disturbed, straight):
    """Of an experiment of the disturbed study: Slurm's records of its training's jobs, and what it said."""
    expected = weights(straight, "straight")

    def of(name: str):
        disturbed.study.finish()
        assert torch.equal(weights(disturbed.study, name), expected)
        log = disturbed.study.said(f"logs/train_model/{name}/seed-0.log")
        assert log.count("Going on from") == 1
        return cluster.jobs(f"rule_train_model_wildcards_{name}_0"), log

    return of


def test_a_second_snakemake_in_a_folder_is_refused_and_harms_nothing(disturbed):
    assert disturbed.second.wait() != 0
    assert "cannot be locked" in disturbed.study.said("second.log")


def test_a_job_that_somebody_cancels_is_submitted_again(outcome):
    (first, second), _ = outcome("cancelled")
    assert first.state.startswith("CANCELLED by ")
    assert second.state == "COMPLETED"
    assert second.submitted - first.ended < timedelta(minutes=6)


def test_a_preempted_job_is_submitted_again(outcome):
    (first, second), _ = outcome("preempted")
    assert (first.state, second.state) == ("PREEMPTED", "COMPLETED")
    assert second.submitted - first.ended < timedelta(minutes=6)


def test_a_job_whose_node_dies_goes_on_on_another_node(outcome):
    (first, second), _ = outcome("node_died")
    assert (first.state, first.nodes) == ("NODE_FAIL", "n3")
    assert second.state == "COMPLETED"
    assert second.nodes in ("n1", "n2")


def test_a_job_that_reaches_its_time_limit_goes_on_with_more_time(outcome):
    (first, second), log = outcome("out_of_time")
    assert first.state in ("FAILED", "TIMEOUT")
    assert "the time of this job is over" in log
    assert (first.minutes, second.minutes) == (2, 4)
    assert second.state == "COMPLETED"


def test_a_requeued_job_goes_on_as_the_same_job_and_as_one_run_in_mlflow(cluster, disturbed, straight):
    study = disturbed.requeued
    study.finish()
    assert torch.equal(weights(study, "requeued"), weights(straight, "straight"))
    assert "Going on from" in study.said("logs/train_model/requeued/seed-0.log")
    first, last = cluster.jobs("rule_train_model_wildcards_requeued_0")
    assert first.id == last.id
    assert (first.state, last.state) == ("PREEMPTED", "COMPLETED")
    with sqlite3.connect(study.file("results/mlflow.db")) as store:
        runs = store.execute("select name, status from runs order by name").fetchall()
        steps = store.execute("select step from metrics where key = 'train/loss' order by step").fetchall()
    assert runs == [("requeued", "FINISHED"), ("requeued-seed-0", "FINISHED")]
    assert steps
    assert len(steps) == len(set(steps))
