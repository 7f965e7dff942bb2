"""The programs of the profiles for other batch systems, on Slurm: they need no more of it than other systems have."""

import json
import os
import signal
import subprocess
import time
from datetime import timedelta

import pytest
import torch
from cluster_experiments import DIGITS, braked
from cluster_study import REPO
from slurm_cluster import COLUMNS, Job, wait
from slurm_daemons import PATIENCE_SECONDS
from trained_models import weights

pytestmark = pytest.mark.cluster

RESOURCES = {"mem_mb": 500, "runtime": 10, "slurm_account": "lab", "slurm_partition": "cpu", "nodes": 1}
TRAINING = "train_model-twice-0"


class Batch:
    """Calls ``batch-submit``, ``batch-status`` and ``batch-cancel`` in a folder, as Snakemake does."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {**os.environ, "PATH": f"{REPO}/workflow/batch{os.pathsep}{os.environ['PATH']}"}
        (folder / ".snakemake").mkdir()

    def call(self, *command):
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def submit(self, script: str, **resources) -> str:
        properties = {
            "type": "single",
            "rule": "wait",
            "wildcards": {},
            "threads": 1,
            "resources": {**RESOURCES, **resources},
        }
        file = self.folder / "script.sh"
        file.write_text(f"#!/bin/sh\n# properties = {json.dumps(properties)}\n{script}\n")
        return self.call("batch-submit", "slurm", file)

    def status(self, job: str) -> str:
        return self.call("batch-status", "--patience", "2", job)

    def end(self, job: str) -> str:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := self.status(job)) == "running":
            assert time.monotonic() < deadline
            time.sleep(0.3)
        return found


@pytest.fixture
def batch(cluster, tmp_path):
    return Batch(tmp_path)


def number(job: str) -> str:
    return job.split(":")[1]


@pytest.mark.parametrize(("script", "found"), [("exit 0", "success"), ("exit 3", "failed"), ("kill -9 $$", "failed")])
def test_a_job_is_as_it_ended(batch, script, found):
    job = batch.submit(script)
    assert batch.end(job) == found
    assert batch.status(job) == found


def test_a_job_that_waits_is_running(batch):
    job = batch.submit("exit 0", slurm_extra="--begin=now+1hour")
    assert batch.status(job) == "running"
    batch.call("batch-cancel", job)
    assert batch.end(job) == "failed"


def test_a_cancelled_job_ends_before_it_has_failed(batch):
    job = batch.submit("trap 'sleep 2; touch saved; exit 1' TERM; touch started; while :; do sleep 0.1; done")
    started = batch.folder / "started"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not started.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    batch.call("batch-cancel", job)
    assert batch.end(job) == "failed"
    assert (batch.folder / "saved").exists()


def test_a_job_that_was_killed_with_all_its_processes_has_failed(batch, cluster):
    job = batch.submit("sleep 600")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while cluster.ask("squeue", "--noheader", f"--jobs={number(job)}", "--format=%T").strip() != "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    cluster.ask("scancel", "--signal=KILL", "--full", number(job))
    assert batch.end(job) == "failed"


def test_what_a_system_refuses_fails_with_its_words(batch):
    with pytest.raises(AssertionError, match=r"(?s)nowhere.*This was refused: sbatch"):
        batch.submit("true", slurm_partition="nowhere")


def jobs(cluster, name: str) -> list[Job]:
    """Slurm's records of the jobs of this name that have ended, the first one first."""
    command = ["sacct", "-X", "-P", "--noheader", "--noconvert", f"--format={','.join(COLUMNS)}", f"--name={name}"]
    return [Job.read(line) for line in cluster.ask(*command, "--starttime=now-1days").splitlines()]


@pytest.fixture(scope="module")
def finished(cluster, new_study, straight):
    """A study whose training was stopped twice: by Ctrl-C, with all of the study, and by somebody who cancelled it."""
    experiment = braked("twice")
    experiment["resources"] |= {"gpus": 1}
    study = new_study(
        "by_sbatch", {"datasets/digits.yaml": DIGITS, "experiments/twice.yaml": experiment}, profile="sbatch"
    )
    study.copy_results(straight)
    brake = study.file("brake_twice")
    brake.touch()

    def trains(word: str) -> bool:
        return word in study.said("logs/train_model/twice/seed-0.log")

    first = study.start()
    wait(lambda: trains("epoch  2/30"), "the second epoch", while_runs=first)
    os.killpg(first.pid, signal.SIGINT)
    assert first.wait(PATIENCE_SECONDS) != 0
    study.started.clear()

    second = study.start(log="second.log")
    wait(lambda: trains("Going on from"), "the training to go on", while_runs=second)
    (job,) = cluster.ask("squeue", "--noheader", f"--name={TRAINING}", "--format=%A").split()
    cluster.ask("scancel", job)
    brake.unlink()
    study.finish()
    return study


@pytest.fixture(scope="module")
def trainings(cluster, finished) -> list[Job]:
    """What Slurm noted of the training's three jobs; with anything else, all that was said is shown."""
    found = jobs(cluster, TRAINING)
    states = [job.state.split()[0] for job in found]
    said = [finished.said(file) for file in ("snakemake.log", "second.log", "logs/train_model/twice/seed-0.log")]
    assert states == ["CANCELLED", "CANCELLED", "COMPLETED"], "\n".join([*map(str, found), *said])
    return found


def test_ctrl_c_cancels_the_jobs(trainings):
    stopped, _, _ = trainings
    assert stopped.state.startswith("CANCELLED by ")
    assert stopped.submitted < stopped.ended


def test_a_job_that_somebody_cancels_is_submitted_again_with_more(trainings):
    _, cancelled, last = trainings
    assert cancelled.state.startswith("CANCELLED by ")
    assert last.state == "COMPLETED"
    assert last.submitted - cancelled.ended < timedelta(minutes=6)
    assert (cancelled.minutes, last.minutes) == (12, 24)
    assert (cancelled.requested["mem"], last.requested["mem"]) == ("1024M", "2048M")


def test_no_step_is_lost(finished, straight):
    assert torch.equal(weights(finished, "twice"), weights(straight, "straight"))


def test_each_job_asks_for_what_its_experiment_says(cluster, finished):
    (job,) = jobs(cluster, "evaluate_model-twice-0")
    asked = job.requested
    assert (asked["cpu"], asked["mem"], asked["gres/gpu"], asked["node"], job.minutes) == ("1", "1024M", "1", "1", 12)


def test_the_study_is_complete(finished):
    assert "twice" in finished.file("results/report.html").read_text()
    assert list(finished.folder.glob("logs/slurm/train_model/*.log"))
