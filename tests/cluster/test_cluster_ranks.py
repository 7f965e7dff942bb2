"""Two processes that train together end with the same model wherever they are, and go on when one of them dies."""

import json
from datetime import timedelta

import pytest
import torch
from cluster_experiments import PAIRS
from trained_models import history, weights

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="session")
def finished(cluster, pairs):
    pairs.study.finish()
    return pairs.study


def log_of(study, name: str) -> str:
    return study.said(f"logs/train_model/{name}/seed-0.log")


@pytest.mark.parametrize("name", PAIRS)
def test_two_processes_learn_on_the_cluster_what_they_learn_here(name, finished, straight):
    assert torch.equal(weights(finished, name), weights(straight, "pair"))
    assert history(finished, name) == history(straight, "pair")
    record = json.loads(finished.said(f"results/experiments/{name}/seed-0/record.json"))
    assert record["processes"] == 2
    assert "2 processes train together" in log_of(finished, name)


@pytest.mark.parametrize(("name", "nodes", "place"), [("one_node", "1", None), ("two_nodes", "2", "n[1-2]")])
def test_they_have_the_nodes_and_cores_that_they_ask_for(name, nodes, place, finished, cluster):
    (job,) = cluster.jobs(f"rule_train_model_wildcards_{name}_0")
    assert job.state == "COMPLETED"
    assert (job.requested["node"], job.requested["cpu"]) == (nodes, "2")
    assert place in (None, job.nodes)


def test_each_node_gives_its_process_a_gpu(finished, cluster):
    (job,) = cluster.jobs("rule_train_model_wildcards_two_nodes_0")
    assert job.requested["gres/gpu"] == "2"
    # the GPUs of this cluster are none that PyTorch can use
    warnings = [line for line in log_of(finished, "two_nodes").splitlines() if "was given 1 GPU" in line]
    assert len(warnings) == 2
    assert sum("rank 1: " in line for line in warnings) == 1


def test_a_process_that_is_killed_on_the_second_node_ends_the_job_which_goes_on(finished, pairs, cluster):
    first, second = cluster.jobs("rule_train_model_wildcards_rank_killed_0")
    assert (first.state, second.state) == ("FAILED", "COMPLETED")
    assert first.ended - pairs.killed < timedelta(minutes=3), "it does not wait for its time limit"
    jobs = json.loads(finished.said("state/jobs/train/rank_killed/seed-0.json"))
    failure = jobs["attempts"][0]["failure"]
    assert failure["kind"] == "killed"
    assert failure["message"].startswith("rank 1, on n2, was ended by the system: Killed")
    assert log_of(finished, "rank_killed").count("Going on from") == 1
