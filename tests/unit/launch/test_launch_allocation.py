import socket

import pytest

from snaketorch.errors import UserError
from snaketorch.launch import allocation
from snaketorch.launch.allocation import Allocation, read


@pytest.mark.parametrize(
    ("said", "nodes", "gpus"),
    [
        ("2|N/A\n", 2, 0),
        ("2|gres:gpu:4\n", 2, 4),
        ("1|gres:gpu:a100:2\n", 1, 2),
        ("3|gres/gpu:h100:8\n", 3, 8),
        ("3|gres/gpu=1,gres/shard:2\n", 3, 1),
        ("1|gres:gpu\n", 1, 1),
        ("1|gres:gpu:a100:1,gpu:v100:2\n", 1, 3),
        ("1|gres:gpu:3090:4\n", 1, 4),
        ("1|gres:gpu:2080ti:4\n", 1, 4),
        ("1|gres:gpu:1g.10gb:4\n", 1, 4),
        ("1|gres:gpu:h100.80gb:4\n", 1, 4),
        ("1|gres/gpu:a100-sxm4=4\n", 1, 4),
        ("1|gres:gpu:v100.32:2(IDX:0,3)\n", 1, 2),
        ("1|gres/shard:gpu:2\n", 1, 0),
        ("\n", None, 0),
    ],
)
def test_what_squeue_says_of_a_job_is_understood(said, nodes, gpus):
    assert read(said) == (nodes, gpus)


def test_srun_starts_one_process_for_each_device_of_each_node():
    assert Allocation("7", 2, 4).srun(devices=4, num_nodes=2, cpus=10) == [
        *("srun", "--jobid=7", "--overlap", "--nodes=2", "--ntasks=8", "--ntasks-per-node=4", "--distribution=block"),
        *("--cpus-per-task=2", "--gpus-per-node=4", "--kill-on-bad-exit=1", "--wait=0", "--unbuffered"),
    ]
    without = Allocation("7", 2).srun(devices=2, num_nodes=2, cpus=1)
    assert "--cpus-per-task=1" in without
    assert not any("gpu" in option for option in without)


def test_the_ranks_hear_nothing_of_the_step_that_starts_them():
    starter = {
        "HOME": "/home/me",
        "SLURM_JOB_ID": "12345",
        "SLURM_CONF": "/etc/slurm.conf",
        "SLURM_RESTART_COUNT": "1",
        "SLURM_NTASKS": "1",
        "SLURM_NODELIST": "n1",
        "SRUN_DEBUG": "3",
        "SBATCH_EXPORT": "NONE",
        "MASTER_ADDR": "elsewhere",
        "SNAKETORCH_PARENT": "1",
    }
    told = Allocation("12345", 2).environment(starter)
    port = int(told.pop("MASTER_PORT"))
    assert 17345 <= port < 17445
    assert int(told.pop("SNAKETORCH_PARENT")) > 1
    kept = ("HOME", "SLURM_JOB_ID", "SLURM_CONF", "SLURM_RESTART_COUNT")
    assert told == {name: starter[name] for name in kept} | {
        "SNAKETORCH_RANK_OF": "12345",
        "MASTER_ADDR": socket.gethostname(),
    }


def test_a_port_that_is_taken_is_left_alone(monkeypatch):
    with socket.create_server(("", 0)) as taken:
        monkeypatch.setattr(allocation, "FIRST_PORT", taken.getsockname()[1])
        told = Allocation("10000", 2).environment({})
        assert int(told["MASTER_PORT"]) > taken.getsockname()[1]


def test_a_job_with_fewer_nodes_than_the_training_is_refused():
    with pytest.raises(UserError, match="num_nodes: 2, and job 7 of Slurm has 1; allowed: a job of as many nodes"):
        Allocation("7", 1).check(2)
    Allocation("7", 3).check(2)
    Allocation("7", None).check(2)


def test_a_slurm_that_does_not_answer_stops_nobody(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert Allocation.of("7") == Allocation("7", None, 0)
