"""`resources: auto` on a real Slurm: it is asked for the GPU, the memory and the time that the plan says."""

import json
import re

import pytest
from cluster_experiments import DIGITS, THREE_TASKS

pytestmark = pytest.mark.cluster

GPUS = {
    "currency": "EUR",
    "gpus": {
        "RTX 3090": {"price_per_hour": 0.3, "gpu_model": "fake", "partition": "frail"},
        "A100 SXM4 80GB": {"price_per_hour": 300, "gpu_model": "dear", "partition": "urgent"},
    },
}
"""The cheaper one is what this cluster calls its GPUs; the other is in no node."""


@pytest.fixture(scope="module")
def planned(new_study):
    # names of their own: Slurm keeps the jobs of every study of this cluster by what they make
    experiment = THREE_TASKS["experiments/digits.yaml"] | {"data": "digits_to_plan"}
    asks = {"gpus": 1, "cpus": 1, "memory_gb": "auto", "hours": "auto", "gpu_model": "auto"}
    study = new_study(
        "planned",
        {
            "datasets/digits_to_plan.yaml": DIGITS,
            "experiments/planned.yaml": experiment | {"resources": asks},
            "gpus.yaml": GPUS,
        },
    )
    study.start("train")
    study.finish()
    return study


def test_slurm_is_asked_for_what_the_plan_says(planned, cluster):
    chosen = json.loads(planned.file("results/experiments/planned/plan.json").read_text())["chosen"]
    assert chosen["gpu"] == "GeForce RTX 3090"

    job = cluster.ask("scontrol", "show", "job", planned.slurm_id("train_model", "planned_0"))

    asked = dict(re.findall(r"(\w+)=(\S*)", job))
    assert "gpu:fake:1" in job
    assert asked["Partition"] == "frail"
    assert asked["JobState"] == "COMPLETED"
    hours, minutes, _ = map(int, asked["TimeLimit"].split(":"))
    assert 60 * hours + minutes == round(60 * chosen["hours"])
    assert asked["MinMemoryNode"].endswith("G")
    assert float(asked["MinMemoryNode"].rstrip("G")) == chosen["memory_gb"]


def test_what_waits_for_the_plan_is_shown_as_open_until_it_is_there(planned):
    assert "mem_mb=<TBD>" not in planned.said(), "of a job that runs all is known"
    assert "gpu_model=fake" in planned.said()
