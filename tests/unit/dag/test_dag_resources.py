"""From one block of `resources:` to what Snakemake and Slurm are asked for."""

from types import SimpleNamespace

import pytest

from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.dag.resources import NAMES, Requests, of_preparation, of_test, of_training, request, times_attempt

GPUS = {"gpus": 2, "cpus": 9, "memory_gb": 24.0, "hours": 3.0, "gpu_model": "a100"}
TWO_GPUS = {"accelerator": "gpu", "devices": 2}


def experiment(trainer=(), **resources):
    sections = {
        "task": "image_classification",
        "data": "digits",
        "model": {"kind": "cnn"},
        "optimizer": {"kind": "adamw"},
        "trainer": {"max_epochs": 4, **dict(trainer)},
        "resources": resources,
    }
    return ExperimentConfig.model_validate(sections).resolved()


def dataset(**resources):
    return DatasetConfig.model_validate({"source": {"kind": "sklearn", "name": "digits"}, "resources": resources})


def asked(need, attempt=1):
    """What is asked for, without what is not."""
    return {name: value for name, value in request(need, attempt).items() if value is not None}


def value(requests, name, attempt=1, **of_job):
    return requests.resources[name](SimpleNamespace(experiment="cnn"), attempt=attempt, **of_job)


class Default:
    """A resource of a profile, with the words of Snakemake's own."""

    def __init__(self, value):
        self.value = value

    def evaluate(self, wildcards, **of_job):
        return Default(self.value(wildcards, **of_job)) if callable(self.value) else self


def test_a_training_on_the_cpu_leaves_out_whatever_a_group_of_jobs_would_add_up():
    need = of_training(experiment())

    assert asked(need) == {"mem_mb": 4096, "runtime": 60, "gpu": 0}
    assert need.cpus == 1


def test_gpus_are_all_on_one_node():
    need = of_training(experiment(TWO_GPUS, **GPUS))

    assert asked(need) == {"mem_mb": 24576, "runtime": 180, "gpu": 2, "gpu_model": "a100", "nodes": 1}
    assert need.cpus == 9


def test_several_nodes_have_a_task_for_each_device_and_count_gpus_in_each_node():
    need = of_training(experiment({**TWO_GPUS, "num_nodes": 3}, **GPUS))

    assert asked(need) == {
        "mem_mb": 24576,
        "runtime": 180,
        "gpu": 0,
        "nodes": 3,
        "mpi": "srun",
        "tasks": 6,
        "cpus_per_task": 4,
        "slurm_extra": "--ntasks-per-node=2 --gpus-per-node=a100:2",
    }
    assert need.cpus == 9


def test_several_nodes_without_gpus_ask_for_none():
    trainer = {"accelerator": "cpu", "devices": 2, "num_nodes": 2}

    extra = asked(of_training(experiment(trainer, cpus=4)))["slurm_extra"]

    assert extra == "--ntasks-per-node=2"


@pytest.mark.parametrize("nodes", [1, 3])
def test_a_test_is_one_process_of_one_node(nodes):
    need = of_test(experiment({**TWO_GPUS, "num_nodes": nodes}, **GPUS))

    assert asked(need) == {"mem_mb": 24576, "runtime": 180, "gpu": 1, "gpu_model": "a100", "nodes": 1}
    assert need.cpus == 4


def test_a_preparation_asks_for_what_its_dataset_says():
    need = of_preparation(dataset(gpus=1, cpus=8, memory_gb=16.0, gpu_model="t4", partition="short"))

    assert asked(need) == {
        "mem_mb": 16384,
        "runtime": 60,
        "gpu": 1,
        "gpu_model": "t4",
        "nodes": 1,
        "slurm_partition": "short",
    }
    assert need.cpus == 8
    assert (of_preparation(dataset()).cpus, asked(of_preparation(dataset()))["gpu"]) == (4, 0)


@pytest.mark.parametrize("extra", ["--exclusive --exclude='n[1-3]'", ["--exclusive", "--exclude=n[1-3]"]])
def test_what_only_slurm_knows_reaches_it_as_it_was_written(extra):
    need = of_training(experiment(constraint="ib&a100", partition="long,short", qos="high", extra=extra))

    assert (
        asked(need).items()
        >= {
            "constraint": "ib&a100",
            "slurm_partition": "long,short",
            "qos": "high",
            "slurm_extra": "--exclusive '--exclude=n[1-3]'",
        }.items()
    )


@pytest.mark.parametrize(
    "need", [of_training(experiment({"num_nodes": 2}, hours=0.25)), of_test(experiment(hours=0.25))]
)
def test_a_retry_gets_more_memory_and_time_and_no_more_of_anything_else(need):
    first, second, third = (asked(need, attempt) for attempt in (1, 2, 3))

    assert [each.pop("mem_mb") for each in (first, second, third)] == [4096, 8192, 12288]
    assert [each.pop("runtime") for each in (first, second, third)] == [15, 30, 45]
    assert first == second == third


def test_a_retry_of_a_small_step_gets_more_too():
    assert [times_attempt(1024)(None, attempt) for attempt in (1, 2)] == [1024, 2048]


def test_a_job_has_a_minute_at_least():
    assert asked(of_test(experiment(hours=0.001)))["runtime"] == 1


def test_a_rule_names_the_same_resources_whatever_is_asked_for():
    several = experiment({**TWO_GPUS, "num_nodes": 2}, **GPUS)

    assert tuple(request(of_training(several), 1)) == tuple(request(of_preparation(dataset()), 1)) == NAMES


def test_what_a_job_does_not_say_is_what_the_profile_says_of_every_job():
    defaults = {"slurm_partition": Default("lab"), "qos": Default("low"), "runtime": Default(5)}
    requests = Requests(lambda _: of_training(experiment(qos="high")), defaults)

    assert value(requests, "slurm_partition") == "lab"
    assert value(requests, "qos") == "high"
    assert value(requests, "runtime") == 60
    assert value(requests, "constraint") is None


def test_an_expression_of_the_profile_knows_the_job():
    partition = Default(lambda wildcards, attempt, threads: f"{wildcards.experiment}-{attempt}-{threads}")
    requests = Requests(lambda _: of_training(experiment()), {"slurm_partition": partition})

    assert value(requests, "slurm_partition", attempt=2, threads=7) == "cnn-2-7"


@pytest.mark.parametrize(
    ("extra", "both"), [(None, "--exclude=n13"), ("--exclusive", "--exclude=n13 --exclusive")], ids=["none", "own"]
)
def test_options_of_a_job_follow_those_of_the_profile(extra, both):
    requests = Requests(lambda _: of_training(experiment(extra=extra)), {"slurm_extra": Default("--exclude=n13")})

    assert value(requests, "slurm_extra") == both
