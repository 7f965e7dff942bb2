"""A study of real trainings that logs to the documented server, which dies meanwhile."""

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snaketorch.journal import ROOT, read_metrics
from snaketorch.tracking.store import connect

pytestmark = pytest.mark.tracking

REPO = Path(__file__).parents[2]
FILES = {
    "config.yaml": "study: tiny\n",
    "datasets/digits.yaml": "source: {kind: sklearn, name: digits}\n",
    "experiments/small.yaml": """
task: image_classification
data: digits
model: {kind: mlp, hidden: [8]}
optimizer: {kind: adam, lr: 0.01}
trainer: {max_epochs: 2}
seeds: [0, 1]
""",
}


def write_study(folder):
    for name, text in FILES.items():
        path = folder / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def shell(**settings):
    """The environment of a user who has activated the virtual environment."""
    found = {key: value for key, value in os.environ.items() if not key.startswith(("SNAKETORCH_", "MLFLOW_"))}
    programs = f"{Path(sys.executable).parent}{os.pathsep}{found['PATH']}"
    return {**found, "PATH": programs, "MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1", **settings}


def test_a_study_whose_server_dies_is_complete_after_a_sync(team, people, tmp_path):
    write_study(tmp_path)
    address = people("student")
    environment = shell(MLFLOW_TRACKING_URI=address, SNAKETORCH_SYNC_WAIT="5", MLFLOW_HTTP_REQUEST_TIMEOUT="120")
    snakemake = [sys.executable, "-m", "snakemake", "-s", str(REPO / "Snakefile"), "-c1", "--nocolor"]
    with (tmp_path / "snakemake.log").open("w") as log:
        study = subprocess.Popen(snakemake, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    end = time.monotonic() + 1200
    while not list(tmp_path.glob("results/experiments/small/seed-*/model.ckpt")):  # one training is through
        assert study.poll() is None, (tmp_path / "snakemake.log").read_text()
        assert time.monotonic() < end, "no training came to its end"
        time.sleep(0.1)
    team.kill()
    try:
        assert study.wait(1200) == 0, (tmp_path / "snakemake.log").read_text()
    finally:
        study.kill()
        team.start()

    done = subprocess.run(
        [sys.executable, "-m", "snaketorch", "sync"],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(REPO), "SNAKETORCH_STUDY": "tiny"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "  sent " in done.stdout  # there was something to send
    client = connect(address)
    found = client.search_runs([client.get_experiment_by_name("tiny").experiment_id])
    runs = {run.data.tags["snaketorch.run_key"]: run for run in found}
    journals = {json.loads(path.read_text())["key"]: path.parent for path in (tmp_path / ROOT).rglob("run.json")}
    assert set(journals) == set(runs)
    assert len([key for key in runs if "/seed-" in key]) == 2
    for key, folder in journals.items():
        assert runs[key].info.status == "FINISHED"
        measured = {(line["name"], line["step"]) for line in read_metrics(folder) if math.isfinite(line["value"])}
        names = {name for name, _ in measured}
        there = {
            (name, entry.step) for name in names for entry in client.get_metric_history(runs[key].info.run_id, name)
        }
        assert there == measured
