"""Many trainings at once, and a server that dies: what is measured is there in the end."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from logging_trainings import STEPS, STUDY, Trainings, key

from snaketorch.tracking.store import connect, initialise

pytestmark = pytest.mark.tracking
COUNT = 16


@pytest.fixture
def trainings(team, people, tmp_path, monkeypatch):
    """Starts trainings that log as a person; they end with the test."""
    started = []

    def start(person, count=COUNT):
        monkeypatch.chdir(tmp_path)
        address = people(person)
        initialise(address, STUDY + person)
        started.append(Trainings(tmp_path, address, STUDY + person, count))
        return started[-1]

    yield start
    for each in started:
        each.stop()


def sync(folder, address, study):
    """The command as a user types it."""
    environment = {"MLFLOW_TRACKING_URI": address, "SNAKETORCH_TRACKING": "on", "SNAKETORCH_STUDY": study}
    return subprocess.run(
        [sys.executable, "-m", "snaketorch", "sync"],
        cwd=folder,
        env=os.environ | environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
    )


def check_all_is_there(address, study, count=COUNT):
    """Each training once, with every value once, in order, and its file."""
    client = connect(address)
    [experiment] = client.search_experiments(filter_string=f"name = '{study}'")
    runs = {run.data.tags["snaketorch.run_key"]: run for run in client.search_runs([experiment.experiment_id])}
    assert len(client.search_runs([experiment.experiment_id])) == count + 1
    parent = runs.pop("digits_cnn/0")
    assert set(runs) == {key(number) for number in range(count)}
    for number in range(count):
        run = runs[key(number)]
        assert run.info.status == "FINISHED"
        assert run.data.params == {"seed": str(number)}
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        loss = client.get_metric_history(run.info.run_id, "train/loss")
        assert [(entry.step, entry.value) for entry in loss] == [
            (step, number + 1 / (step + 1)) for step in range(STEPS)
        ]
        assert len(client.get_metric_history(run.info.run_id, "val/accuracy")) == STEPS
        [file] = client.list_artifacts(run.info.run_id, "tables")
        assert file.path == "tables/history.csv"
    return runs


def test_sixteen_trainings_at_once_log_without_loss(trainings, tmp_path):
    logging = trainings("sixteen")
    logging.half_way.wait(300)
    logging.go_on.set()
    assert logging.wait() == [0] * COUNT
    # nothing is left to send: this happened while they ran
    done = sync(tmp_path, logging.address, logging.study)
    assert (done.returncode, f"complete  {COUNT} runs" in done.stdout) == (0, True), done.stdout
    runs = check_all_is_there(logging.address, logging.study)
    copy = connect(logging.address).download_artifacts(runs[key(7)].info.run_id, "tables/history.csv", str(tmp_path))
    assert Path(copy).read_text() == "seed\n7\n"


def test_a_server_killed_in_mid_study_has_everything_after_a_sync(trainings, team, tmp_path):
    logging = trainings("killed")
    logging.half_way.wait(300)
    time.sleep(2)  # some have sent a part, some are about to
    team.kill()
    logging.go_on.set()
    assert logging.wait() == [0] * COUNT
    refused = sync(tmp_path, logging.address, logging.study)
    assert refused.returncode == 1
    assert "no answer from" in refused.stdout
    assert "nothing is lost, run it again" in refused.stdout
    assert "a long password" not in refused.stdout

    team.start()  # with the files and databases that it had, and without a password
    done = sync(tmp_path, logging.address, logging.study)
    assert done.returncode == 0, done.stdout
    check_all_is_there(logging.address, logging.study)


def test_a_database_that_restarts_under_the_server_loses_nothing(trainings, team, cluster, tmp_path):
    logging = trainings("restart", count=4)
    logging.half_way.wait(300)
    cluster.restart()
    logging.go_on.set()
    assert logging.wait() == [0] * 4
    done = sync(tmp_path, logging.address, logging.study)
    assert done.returncode == 0, done.stdout
    check_all_is_there(logging.address, logging.study, count=4)
