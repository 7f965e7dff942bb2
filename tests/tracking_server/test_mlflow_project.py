"""``mlflow run`` of the checkout, as docs/tracking-server.md tells it."""

import sqlite3
import subprocess
import sys

import pytest
from test_team_study import REPO, shell, write_study

from snaketorch.tracking.store import connect

pytestmark = pytest.mark.tracking

MLFLOW = [sys.executable, "-m", "mlflow"]


def run_project(folder, *parameters, **settings):
    words = [word for parameter in parameters for word in ("-P", parameter)]
    return subprocess.run(
        [*MLFLOW, "run", str(REPO), "--env-manager", "local", *words],
        cwd=folder,
        env=shell(**settings),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=1200,
    )


def test_a_project_runs_one_experiment_of_the_study_here(tmp_path):
    write_study(tmp_path)
    experiments = tmp_path / "config/experiments"
    (experiments / "other.yaml").write_text((experiments / "small.yaml").read_text())
    (experiments / "small.yaml").write_text("extends: other\nseeds: [3]\n")
    done = run_project(tmp_path, "experiment=small", "cores=2", MLFLOW_EXPERIMENT_NAME="projects")
    assert done.returncode == 0, done.stdout
    assert [path.name for path in (tmp_path / "results/experiments").iterdir()] == ["small"]
    assert (tmp_path / "results/report.html").exists()

    # MLflow's run of the project, where MLflow keeps it; the study's, in the study's own store
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        [(status,)] = database.execute("SELECT status FROM runs").fetchall()
        assert status == "FINISHED"
        assert ("experiment", "small") in database.execute("SELECT key, value FROM params").fetchall()
        assert database.execute("SELECT count(*) FROM metrics").fetchone() == (0,)
    client = connect(f"sqlite:///{tmp_path}/results/mlflow.db")
    assert {experiment.name for experiment in client.search_experiments()} == {"Default", "tiny"}
    runs = client.search_runs([client.get_experiment_by_name("tiny").experiment_id])
    [training] = [run for run in runs if "/seed-3/" in run.data.tags["snaketorch.run_key"]]
    assert training.info.status == "FINISHED"
    assert "test/accuracy" in training.data.metrics


def test_what_is_wrong_fails_the_project_and_runs_nothing(tmp_path):
    write_study(tmp_path)
    canary = tmp_path / "canary"
    for parameter in (f"experiment=$(touch {canary})", f"experiment=a'; touch {canary}; '", 'experiment=x"], "y'):
        done = run_project(tmp_path, parameter)
        assert done.returncode != 0
        assert "no job was started" in done.stdout, done.stdout
        assert not canary.exists()
    done = run_project(tmp_path, "cores=$(nproc)")
    assert done.returncode != 0
    assert "cores=$(nproc): allowed: a whole number from 1, or all" in done.stdout
    assert not (tmp_path / "results").exists()
