import json
import math
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snaketorch.journal import ROOT, Journal, Run, read_metrics
from snaketorch.tracking.store import initialise
from snaketorch.tracking.sync import sync_all, sync_journal

# a training that stops half-way until it is told to go on, with an uploader that does not wait long
JOB = """
import logging, os, sys, time
from pathlib import Path
from snaketorch.journal import Journal
from snaketorch.tracking import sidecar

UPLOADER = '''
import logging, os, sys
from pathlib import Path
from snaketorch.tracking import follow
from snaketorch.tracking.address import tracking_uri
logging.basicConfig(level=logging.INFO)
follow.FIRST_WAIT = follow.INTERVAL = 0.2
report = follow.follow(Path(sys.argv[2]), int(sys.argv[1]), tracking_uri(), os.environ["SNAKETORCH_STUDY"])
sys.exit(report.failed)
'''
logging.basicConfig(level=logging.INFO)
sidecar.command = lambda folder: [sys.executable, "-c", UPLOADER, str(os.getpid()), str(folder)]
journal = Journal.reopen(Path(sys.argv[1]))
with sidecar.uploading(journal.folder):
    for step in range(20):
        if step == 10:
            while not Path("go on").exists():
                time.sleep(0.05)
        journal.log_metrics({"train/loss": step / 3}, step)
    journal.finish("FINISHED")
"""


@pytest.fixture
def journal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    key = f"digits_cnn/seed-0/{tmp_path.name}"
    params = {"model.kind": "cnn", "empty": "", "long": "x" * 9000}
    run = Run(key=key, name="digits_cnn-seed-0", parent=f"digits_cnn/{tmp_path.name}", params=params)
    (tmp_path / "history.csv").write_text("epoch\n1\n")
    journal = Journal(ROOT / key, run)
    journal.add_artifact(tmp_path / "history.csv", "tables")
    return journal


def run_of(journal, client, study="digits"):
    experiment = client.get_experiment_by_name(study)
    if experiment is None:
        return None
    found = client.search_runs([experiment.experiment_id], f"tags.`snaketorch.run_key` = '{journal.run.key}'")
    assert len(found) <= 1
    return found[0] if found else None


def steps_of(journal, client, name="train/loss"):
    run = run_of(journal, client)
    return [] if run is None else sorted(entry.step for entry in client.get_metric_history(run.info.run_id, name))


def cursor_of(journal):
    [file] = journal.folder.glob("sync-*.json")
    return json.loads(file.read_text())


def start_job(journal, address, **environment):
    tracking = {"SNAKETORCH_TRACKING": "on", "MLFLOW_TRACKING_URI": address, "SNAKETORCH_STUDY": "digits"}
    command = [sys.executable, "-c", JOB, str(journal.folder)]
    return subprocess.Popen(command, env=os.environ | tracking | environment, stderr=subprocess.PIPE, text=True)


def test_what_a_server_misses_while_it_is_dead_is_sent_later(journal, server, client, tmp_path):
    address = server.address.replace("://", "://anna:hunter2@")
    # it gives up by itself; with MLflow's own retries that would take it four minutes
    job = start_job(journal, address, SNAKETORCH_SYNC_WAIT="120")
    wait_for(lambda: steps_of(journal, client) == list(range(10)) and len(cursor_of(journal)["files"]) == 2)
    assert run_of(journal, client).info.status == "RUNNING"
    server.kill()
    (tmp_path / "go on").touch()
    _, said = job.communicate(timeout=300)

    assert job.returncode == 0
    assert "could not send everything" in said
    assert said.count("python -m snaketorch sync") == 1
    assert len(read_metrics(journal.folder)) == 20
    assert Journal.reopen(journal.folder).run.status == "FINISHED"
    assert "no answer from" in (journal.folder / "sync.log").read_text()

    server.start()
    summary = sync_all(ROOT, address, "digits")
    assert not summary.failed
    [report] = summary.reports
    assert (report.created, report.params, report.metrics, report.files) == (False, 0, 10, 0)
    assert steps_of(journal, client) == list(range(20))
    assert run_of(journal, client).info.status == "FINISHED"
    assert not sync_all(ROOT, address, "digits").reports[0].sent

    files = [file for folder in (tmp_path, server.folder) for file in folder.rglob("*") if file.is_file()]
    assert {"server.db", "server.log", "sync.log", "history.csv"} <= {file.name for file in files}
    assert [file for file in files if b"hunter2" in file.read_bytes()] == []
    assert "hunter2" not in said + str(summary)


def test_a_server_keeps_one_of_what_is_sent_twice(journal, server, client, tmp_path):
    for step in range(1200):
        journal.log_metrics({"train/loss": step / 3, "val/auc": math.nan, "val/loss": math.inf}, step)
    journal.finish("FINISHED")

    first = sync_journal(journal.folder, server.address, "digits")
    assert (first.failed, first.params, first.metrics, first.files) == (False, 3, 2400, 2)
    again = sync_journal(journal.folder, server.address, "digits")
    assert not again.sent
    for cursor in journal.folder.glob("sync-*.json"):
        cursor.unlink()
    replay = sync_journal(journal.folder, server.address, "digits")
    assert (replay.failed, replay.created, replay.params, replay.tags, replay.metrics) == (False, False, 0, 0, 2400)

    assert steps_of(journal, client) == steps_of(journal, client, "val/auc") == list(range(1200))
    run = run_of(journal, client)
    assert math.isnan(run.data.metrics["val/auc"])
    assert "val/loss" in json.loads(run.data.tags["snaketorch.non_finite"])
    assert run.data.params["empty"] == ""
    parent = client.get_run(run.data.tags["mlflow.parentRunId"])
    assert parent.info.status == "FINISHED"
    copy = client.download_artifacts(run.info.run_id, "tables/history.csv", str(tmp_path))
    assert Path(copy).read_text() == "epoch\n1\n"


@pytest.mark.parametrize("kind", ["no server", "a server that never answers"])
def test_a_job_is_not_held_up_by(journal, server, client, tmp_path, kind):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if kind == "a server that never answers":
            listener.listen(50)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        (tmp_path / "go on").touch()
        job = start_job(journal, address, SNAKETORCH_SYNC_WAIT="2")
        _, said = job.communicate(timeout=300)
    assert job.returncode == 0
    if kind == "a server that never answers":
        assert "was not done 2 s after the job" in said
    assert said.count("python -m snaketorch sync") == 1
    report = sync_journal(journal.folder, server.address, "digits")
    assert (report.failed, report.metrics) == (False, 20)
    assert steps_of(journal, client) == list(range(20))


def test_a_deleted_experiment_is_named_and_nothing_is_sent(journal, server, client):
    client.delete_experiment(initialise(server.address, "gone"))
    report = sync_journal(journal.folder, server.address, "gone")
    assert report.failed
    assert "'gone'" in report.problems[0]
    assert "was deleted" in report.problems[0]


def wait_for(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)
