"""A study of three tasks through profiles/slurm: complete, and each job asked for what its experiment says."""

import json

import pytest

pytestmark = pytest.mark.cluster

REQUESTS = {
    # rule and wildcards: CPUs, memory, minutes, GPUs
    "prepare_dataset_wildcards_digits": (2, "1536M", 30, 0),
    "prepare_dataset_wildcards_sunspots": (1, "1024M", 15, 0),
    "train_model_wildcards_digits_0": (3, "1536M", 12, 1),
    "train_model_wildcards_sunspots_0": (2, "1024M", 6, 0),
    "train_model_wildcards_drawn_0": (2, "2048M", 18, 0),
    "evaluate_model_wildcards_digits_0": (3, "1536M", 12, 1),
    "evaluate_model_wildcards_sunspots_0": (2, "1024M", 6, 0),
    "evaluate_model_wildcards_drawn_0": (2, "2048M", 18, 0),
    "summarise_experiment_wildcards_digits": (1, "1024M", 10, 0),
    "summarise_experiment_wildcards_sunspots": (1, "1024M", 10, 0),
    "summarise_experiment_wildcards_drawn": (1, "1024M", 10, 0),
    "report_study": (1, "2048M", 30, 0),
}


@pytest.fixture(scope="module")
def finished(three_tasks):
    three_tasks.finish()
    return three_tasks


@pytest.mark.parametrize("what", REQUESTS)
def test_each_rule_asks_slurm_for_what_it_needs(what, finished, cluster):
    (job,) = cluster.jobs(f"rule_{what}")
    asked = job.requested
    gpus = int(asked.get("gres/gpu", 0))
    assert (int(asked["cpu"]), asked["mem"], job.minutes, gpus) == REQUESTS[what]
    assert (job.state, asked["node"]) == ("COMPLETED", "1")


def test_the_study_is_complete(finished):
    for name in ("digits", "sunspots", "drawn"):
        summary = json.loads(finished.file(f"results/experiments/{name}/summary.json").read_text())
        assert all(metric["n"] == 1 for metric in summary["metrics"].values())
        assert name in finished.file("results/report.html").read_text()


def test_its_jobs_ran_on_both_nodes(finished, cluster):
    assert {job.nodes for what in REQUESTS for job in cluster.jobs(f"rule_{what}")} == {"n1", "n2"}


def test_what_slurm_said_of_each_job_is_kept(finished):
    assert len(list(finished.folder.glob("logs/slurm/rule_*/**/*.log"))) == len(REQUESTS)
