"""A Slurm for the session, and the studies that run on it, all of them at once: most of their time is waiting."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest
import slurm_server
from cluster_experiments import DIGITS, DISTURBED, PAIRS, THREE_TASKS, braked, pair
from cluster_study import ClusterStudy
from slurm_cluster import Cluster, wait
from slurm_daemons import PATIENCE_SECONDS

MINUTE = 1 / 60


class Disturbed(NamedTuple):
    """Two studies whose trainings were disturbed; they may still run, for the next attempts."""

    study: ClusterStudy
    """Each experiment in its own way, which its name says."""
    requeued: ClusterStudy
    """One experiment, on a partition where jobs are preempted by requeue."""
    second: "subprocess.Popen[bytes]"
    """A Snakemake that was started in the folder of ``study`` while another worked there."""


class Pairs(NamedTuple):
    """A study of trainings by two processes each."""

    study: ClusterStudy
    killed: datetime
    """When one of the two was killed, in one of the trainings."""


@pytest.fixture(scope="session")
def cluster():
    """Four nodes on this machine; whatever they run ends with the session."""
    if reason := slurm_server.missing():
        pytest.skip(reason)
    running = Cluster()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def new_study(cluster, tmp_path_factory) -> Callable[..., ClusterStudy]:
    """Makes studies, and ends what they left running."""
    made: list[ClusterStudy] = []

    def make(name: str, *arguments, **options) -> ClusterStudy:
        folder = tmp_path_factory.mktemp(name) / name
        made.append(ClusterStudy(folder, *arguments, **options))
        shutil.copy(Path(__file__).with_name("braked.py"), folder)
        return made[-1]

    yield make
    for study in made:
        study.stop()


@pytest.fixture(scope="session")
def straight(new_study) -> ClusterStudy:
    """Trainings that nothing disturbed, on this machine and without a cluster: by one process, and by two."""
    experiments = {"experiments/straight.yaml": braked("straight"), "experiments/pair.yaml": pair("pair", devices=2)}
    study = new_study("straight", {"datasets/digits.yaml": DIGITS, **experiments})
    study.start_here("train")
    study.finish()
    return study


@pytest.fixture(scope="session")
def disturbed(cluster, new_study, straight, request) -> Disturbed:
    hours = {"out_of_time": 2 * MINUTE}
    experiments = {f"experiments/{name}.yaml": braked(name, hours.get(name, 0.2)) for name in DISTURBED}
    # where a site says which partition a rule's jobs go to
    site = {"# set-resources:": "set-resources:", "#   train_model:": "  train_model:"}
    place = r"#     slurm_partition: \S+"
    study = new_study(
        "disturbed",
        {"datasets/digits.yaml": DIGITS, **experiments},
        site={**site, place: f'    slurm_partition: "{DISTURBED}[wildcards.experiment]"'},
    )
    requeued = new_study(
        "requeued",
        {"datasets/digits.yaml": DIGITS, "experiments/requeued.yaml": braked("requeued")},
        site={**site, place: "    slurm_partition: requeued", "slurm-no-requeue: true": "slurm-requeue: true"},
        tracking=True,
    )
    for each in (study, requeued):
        each.copy_results(straight)
    brakes = [study.file(f"brake_{name}") for name in DISTURBED] + [requeued.file("brake_requeued")]
    for brake in brakes:
        brake.touch()
    study.start("train")
    requeued.start("train", "results/tracking.json")

    def all_train() -> bool:
        logs = [study.said(f"logs/train_model/{name}/seed-0.log") for name in DISTURBED]
        logs.append(requeued.said("logs/train_model/requeued/seed-0.log"))
        return all("epoch  2/30" in log or "Going on" in log for log in logs)

    wait(all_train, "the second epoch of each training", while_runs=study.started[0])
    cluster.kill_node("n3")
    cluster.ask("scancel", study.slurm_id("train_model", "cancelled_0"))
    cluster.take_node("n4")
    request.getfixturevalue("pairs")  # these run beside what is left of the others
    request.getfixturevalue("three_tasks")

    def is_out_of_time() -> bool:
        return "Attempt 2" in study.said("logs/train_model/out_of_time/seed-0.log")

    second = study.start("train", log="second.log")
    wait(is_out_of_time, "the end of the first attempt, at its time limit", while_runs=study.started[0])
    second.wait(PATIENCE_SECONDS)
    for brake in brakes:
        brake.unlink()
    return Disturbed(study, requeued, second)


@pytest.fixture(scope="session")
def pairs(cluster, new_study, straight) -> Pairs:
    """A study in which two processes train together, in each place they can have; it may still run."""
    experiments = {f"experiments/{name}.yaml": pair(name, **place) for name, place in PAIRS.items()}
    study = new_study("pairs", {"datasets/digits.yaml": DIGITS, **experiments})
    study.copy_results(straight)
    brake = study.file("brake_rank_killed")
    brake.touch()
    study.start("train")

    def trains() -> bool:
        return "epoch 2/6" in study.said("logs/train_model/rank_killed/seed-0.log")

    wait(trains, "the second epoch on two nodes", while_runs=study.started[0])
    cluster.kill_task(study.slurm_id("train_model", "rank_killed_0"), rank=1)
    killed = datetime.now()
    brake.unlink()
    return Pairs(study, killed)


@pytest.fixture(scope="session")
def three_tasks(new_study) -> ClusterStudy:
    """A study of three experiments, one a task; it may still run."""
    study = new_study("three_tasks", THREE_TASKS)
    study.start()
    return study
