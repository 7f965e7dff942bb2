import json
import math
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from snaketorch.tracking import upload
from snaketorch.tracking.store import initialise
from snaketorch.tracking.sync import sync_all, sync_journal


@pytest.fixture
def sync(uri):
    return lambda journal: sync_journal(journal.folder, uri, "digits")


@pytest.fixture
def runs(uri, client):
    """All runs, by key."""

    def get():
        found = client.search_runs([initialise(uri, "digits")])
        assert len({run.data.tags["snaketorch.run_key"] for run in found}) == len(found)
        return {run.data.tags["snaketorch.run_key"]: run for run in found}

    return get


@pytest.fixture
def history(client):
    def get(run, name):
        found = client.get_metric_history(run.info.run_id, name)
        return [(entry.step, entry.value) for entry in sorted(found, key=lambda entry: entry.step)]

    return get


def test_a_run_says_who_created_it_whoever_sends_the_rest(new_journal, sync, runs, monkeypatch):
    journal = new_journal()
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    sync(journal)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "bert")

    journal.log_metrics({"val/loss": 1.0}, 0)
    sync(journal)

    assert {run.data.tags["mlflow.user"] for run in runs().values()} == {"ada"}


def test_all_that_a_journal_tells_is_in_the_run(new_journal, sync, runs, client, history, tmp_path):
    tags = {"snaketorch.git_commit": "abc123", "snaketorch.dataset": "digits"}
    journal = new_journal(params={"model.kind": "cnn", "empty": ""}, tags=tags)
    for step in range(3):
        journal.log_metrics({"val/loss": 1 / (step + 1), "val/accuracy": math.nan}, step)
    (tmp_path / "history.csv").write_text("epoch\n1\n")
    journal.add_artifact(tmp_path / "history.csv", "tables")
    journal.finish("FINISHED")

    report = sync(journal)

    assert not report.failed
    assert (report.created, report.params, report.metrics, report.files, report.status) == (True, 2, 6, 1, "FINISHED")
    run = runs()[journal.run.key]
    assert run.info.run_name == "digits_cnn-seed-0"
    assert run.data.params == {"model.kind": "cnn", "empty": ""}
    assert run.data.tags.items() >= {**tags, "mlflow.source.git.commit": "abc123"}.items()
    assert history(run, "val/loss") == [(0, 1.0), (1, 0.5), (2, 1 / 3)]
    assert [math.isnan(value) for _, value in history(run, "val/accuracy")] == [True] * 3
    times = [json.loads(line)["time"] for line in (journal.folder / "metrics.jsonl").read_text().splitlines()]
    assert {entry.timestamp for entry in client.get_metric_history(run.info.run_id, "val/loss")} == set(times)
    assert run.info.start_time <= times[0] <= times[-1] <= run.info.end_time + 1
    assert [file.path for file in client.list_artifacts(run.info.run_id, "tables")] == ["tables/history.csv"]


DIGITS = {
    "name": "digits",
    "digest": "c0ffee00c0ffee00",
    "context": "train",
    "path": "results/datasets/digits",
    "columns": {"image": "uint8 1 x 8 x 8", "label": "int64"},
    "profile": {"provides": "labelled images", "train_samples": 1257},
}


def test_the_datasets_of_a_run_are_inputs_that_mlflow_shows(new_journal, sync, runs):
    journal = new_journal(datasets=[DIGITS])

    assert str(sync(journal)).endswith("new run, 1 tag, 1 dataset")
    assert sync(journal).datasets == 0

    (used,) = runs()[journal.run.key].inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("digits", "c0ffee00c0ffee00")
    assert [(tag.key, tag.value) for tag in used.tags] == [("mlflow.data.context", "train")]
    assert json.loads(used.dataset.source) == {"uri": "results/datasets/digits"}
    columns = json.loads(used.dataset.schema)["mlflow_colspec"]
    assert [(column["name"], column["type"]) for column in columns] == [
        ("image", "uint8 1 x 8 x 8"),
        ("label", "int64"),
    ]
    assert json.loads(used.dataset.profile) == DIGITS["profile"]


def test_datasets_that_a_server_refuses_do_not_hold_up_the_files(new_journal, sync, runs, client, tmp_path):
    journal = new_journal(datasets=[{**DIGITS, "digest": "x" * 40}])
    (tmp_path / "history.csv").write_text("epoch\n1\n")
    journal.add_artifact(tmp_path / "history.csv")

    report = sync(journal)

    assert report.files == 1
    assert [problem.startswith("the datasets: ") for problem in report.problems] == [True]


def test_a_second_sync_sends_nothing(new_journal, sync, runs):
    journal = new_journal(params={"a": "1"}, parent="digits_cnn/group", parent_name="digits_cnn")
    journal.log_metrics({"val/loss": math.inf, "val/accuracy": 0.5}, 1)
    journal.finish("FINISHED")
    assert sync(journal).sent
    report = sync(journal)
    assert not report.sent
    assert not report.failed
    assert str(report).endswith(": nothing new")


def test_only_what_is_new_is_sent(new_journal, sync, runs, history):
    journal = new_journal(params={"a": "1"})
    journal.log_metrics({"val/loss": 1.0}, 1)
    sync(journal)
    journal.log_metrics({"val/loss": 0.5}, 2)
    report = sync(journal)
    assert (report.created, report.params, report.tags, report.metrics, report.status) == (False, 0, 0, 1, None)
    assert history(runs()[journal.run.key], "val/loss") == [(1, 1.0), (2, 0.5)]


def test_a_lost_cursor_doubles_nothing(new_journal, sync, runs, history, tmp_path):
    journal = new_journal(params={"a": "1"})
    (tmp_path / "x.txt").write_text("x")
    journal.add_artifact(tmp_path / "x.txt")
    for step in range(4):
        journal.log_metrics({"val/loss": step, "val/auc": math.nan, "train/loss": -math.inf}, step)
    sync(journal)
    before = runs()[journal.run.key].data
    [cursor] = journal.folder.glob("sync-*.json")
    cursor.unlink()

    report = sync(journal)

    assert (report.created, report.params, report.tags, report.metrics) == (False, 0, 0, 8)
    run = runs()[journal.run.key]
    assert len(history(run, "val/loss")) == len(history(run, "val/auc")) == 4
    assert run.data.tags == before.tags


def test_more_than_one_request_can_hold_arrives_in_full(new_journal, sync, runs, history):
    journal = new_journal(params={f"p{number}": str(number) for number in range(250)})
    for step in range(1250):
        journal.log_metrics({"train/loss": step / 7, "train/accuracy": step / 9}, step)
    assert sync(journal).metrics == 2500
    run = runs()[journal.run.key]
    assert len(run.data.params) == 250
    assert history(run, "train/loss") == [(step, step / 7) for step in range(1250)]


def test_infinite_values_become_a_tag(new_journal, sync, runs):
    journal = new_journal()
    for step, value in ((1, 3.0), (2, math.inf), (5, math.inf)):
        journal.log_metrics({"train/loss": value}, step)
        sync(journal)
    run = runs()[journal.run.key]
    assert run.data.metrics == {"train/loss": 3.0}
    assert json.loads(run.data.tags["snaketorch.non_finite"]) == {
        "train/loss": {"value": "inf", "first_step": 2, "last_step": 5}
    }


def test_a_changed_param_is_told_by_a_tag(new_journal, sync, runs):
    sync(new_journal(params={"lr": "0.1", "seed": "0"}))
    journal = new_journal(params={"lr": "0.2", "seed": "0", "new": "1"})
    assert not sync(journal).failed
    run = runs()[journal.run.key]
    assert run.data.params == {"lr": "0.1", "seed": "0", "new": "1"}
    assert json.loads(run.data.tags["snaketorch.changed_params"]) == {"lr": "0.2"}
    assert not sync(journal).sent


def test_a_param_that_has_its_first_value_again_is_no_longer_told_as_changed(new_journal, sync, runs):
    for hours in ("1.0", "2.0", "1.0"):
        journal = new_journal(params={"resources.hours": hours})
        assert not sync(journal).failed

    assert json.loads(runs()[journal.run.key].data.tags["snaketorch.changed_params"]) == {}
    assert not sync(journal).sent


def test_a_long_param_is_cut_and_kept_in_full_as_a_file(new_journal, sync, runs, client, tmp_path):
    journal = new_journal(params={"classes": "ü" * 9000, "short": "x"}, tags={"note": "ü" * 9000})
    assert not sync(journal).failed
    run = runs()[journal.run.key]
    assert run.data.params["classes"].endswith(" …")
    assert len(run.data.tags["note"]) == 5000
    file = client.download_artifacts(run.info.run_id, "long_params.json", str(tmp_path))
    assert json.loads(Path(file).read_text("utf-8")) == {"classes": "ü" * 9000}
    assert not sync(journal).sent


def test_names_that_mlflow_refuses_do_not_hold_up_the_rest(new_journal, sync, runs):
    journal = new_journal(params={"a/../b%": "1"}, tags={"c#": "2"})
    journal.log_metrics({"val/f1@0.5": 1.0, "../x": 2.0}, 1)
    assert not sync(journal).failed
    run = runs()[journal.run.key]
    assert run.data.params == {"a/b_": "1"}
    assert run.data.metrics == {"val/f1_0.5": 1.0, "x": 2.0}
    assert run.data.tags["c_"] == "2"


def test_a_line_is_sent_once_it_is_whole(new_journal, sync, runs, history):
    journal = new_journal()
    journal.log_metrics({"val/loss": 1.0}, 1)
    path = journal.folder / "metrics.jsonl"
    line = path.read_text().replace('"step": 1', '"step": 2')
    with path.open("a") as file:
        file.write(line[:20])
    assert sync(journal).metrics == 1
    with path.open("a") as file:
        file.write(line[20:] + "spoilt by a kill\n" + line.replace('"step": 2', '"step": 3'))
    assert sync(journal).metrics == 2
    assert [step for step, _ in history(runs()[journal.run.key], "val/loss")] == [1, 2, 3]


def test_files_are_sent_when_they_are_new_or_changed(new_journal, sync, runs, client, tmp_path):
    figures = tmp_path / "figures"
    (figures / "deep").mkdir(parents=True)
    for name in ("a.svg", "deep/b.svg"):
        (figures / name).write_text("one")
    journal = new_journal()
    journal.add_artifact(figures, "seed-0")
    assert sync(journal).files == 2
    (figures / "a.svg").write_text("two")
    (figures / "deep" / "b.svg").touch()
    assert sync(journal).files == 0  # what a later run writes to the same place is not this run's
    journal.add_artifact(figures, "seed-0")
    assert sync(journal).files == 1
    run_id = runs()[journal.run.key].info.run_id
    assert Path(client.download_artifacts(run_id, "seed-0/figures/a.svg", str(tmp_path))).read_text() == "two"
    assert [file.path for file in client.list_artifacts(run_id, "seed-0/figures/deep")] == ["seed-0/figures/deep/b.svg"]


def test_a_file_that_is_gone_is_a_note_and_no_failure(new_journal, sync, tmp_path):
    journal = new_journal()
    (tmp_path / "x.txt").write_text("x")
    journal.add_artifact(tmp_path / "x.txt")
    for name in ("never.txt", "later.txt"):
        (tmp_path / name).write_text("mine")
        journal.add_artifact(tmp_path / name)
    (tmp_path / "never.txt").unlink()
    (tmp_path / "later.txt").write_text("that of another run")
    report = sync(journal)
    assert [note for note in report.notes if "later.txt is now that of a later run" in note]
    assert [note for note in report.notes if "never.txt is not there any more" in note]
    assert (report.files, report.failed) == (1, False)
    (tmp_path / "x.txt").unlink()
    assert not [note for note in sync(journal).notes if "x.txt" in note]


def test_a_file_that_is_refused_does_not_hold_up_the_others(new_journal, sync, runs, monkeypatch, tmp_path):
    journal = new_journal()
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
        journal.add_artifact(tmp_path / name)
    log_artifact = upload.MlflowClient.log_artifact

    def refusing(self, run_id, path, folder=None):
        if path.endswith("a.txt"):
            raise OSError("413 too large")
        log_artifact(self, run_id, path, folder)

    with monkeypatch.context() as patch:
        patch.setattr(upload.MlflowClient, "log_artifact", refusing)
        report = sync(journal)
    assert report.failed
    assert "413 too large" in report.problems[0]
    assert report.files == 1
    assert sync(journal).files == 1


def test_a_run_deleted_by_its_owner_stays_deleted(new_journal, sync, runs, client):
    journal = new_journal()
    sync(journal)
    client.delete_run(runs()[journal.run.key].info.run_id)
    journal.log_metrics({"val/loss": 1.0}, 1)
    report = sync(journal)
    assert not report.failed
    assert "deleted" in report.notes[0]
    assert runs() == {}


def test_a_run_that_the_store_has_lost_is_sent_anew(new_journal, sync, runs, history):
    journal = new_journal()
    journal.log_metrics({"val/loss": 1.0}, 1)
    sync(journal)
    [cursor] = journal.folder.glob("sync-*.json")
    cursor.write_text(cursor.read_text().replace(runs()[journal.run.key].info.run_id, "0" * 32))
    report = sync(journal)
    assert (report.failed, report.metrics) == (False, 1)
    assert history(runs()[journal.run.key], "val/loss") == [(1, 1.0)]


def test_syncs_that_meet_at_one_journal_take_turns(new_journal, sync, runs, history):
    journal = new_journal(parent="digits_cnn/group")
    for step in range(50):
        journal.log_metrics({"val/loss": step}, step)
    reports = in_threads(lambda: sync(journal), 4)
    assert sorted(report.metrics for report in reports) == [0, 0, 0, 50]
    assert len(history(runs()[journal.run.key], "val/loss")) == 50


def test_children_that_meet_have_one_parent(new_journal, sync, runs):
    group = {"parent": "digits_cnn/g", "parent_name": "digits_cnn"}
    journals = [new_journal(f"digits_cnn/seed-{seed}/0", **group) for seed in range(4)]
    pending = list(journals)
    in_threads(lambda: sync(pending.pop()), 4)
    parent = runs().pop("digits_cnn/g")
    assert parent.info.run_name == "digits_cnn"
    for journal in journals:
        assert runs()[journal.run.key].data.tags["mlflow.parentRunId"] == parent.info.run_id


def test_a_parent_stands_as_its_children_do(new_journal, sync, runs):
    first, second = (new_journal(f"digits_cnn/seed-{seed}/0", parent="digits_cnn/g") for seed in (0, 1))

    def status_after(journal, status):
        journal.finish(status)
        sync(journal)
        return runs()["digits_cnn/g"].info.status

    sync(second)
    assert status_after(first, "FINISHED") == "RUNNING"
    assert status_after(second, "FAILED") == "FAILED"
    assert status_after(second, "RUNNING") == "RUNNING"
    assert status_after(second, "FINISHED") == "FINISHED"


def test_a_parent_may_have_a_journal_of_its_own(new_journal, sync, runs):
    child = new_journal(parent="digits_cnn/g", parent_name="digits_cnn")
    sync(child)
    parent = new_journal("digits_cnn/g", params={"model.kind": "cnn"})
    sync(parent)
    assert len(runs()) == 2
    assert runs()["digits_cnn/g"].data.params == {"model.kind": "cnn"}


def test_a_killed_job_is_shown_as_killed_until_it_goes_on(new_journal, sync, runs, study):
    journal = new_journal()
    job = f"""if True:
        import sys
        from pathlib import Path
        from snaketorch.tracking.locks import job_at_work
        with job_at_work(Path({str(journal.folder.resolve())!r})):
            print("at work", flush=True)
            sys.stdin.read()
    """

    def status_of_run():
        sync(journal)
        return runs()[journal.run.key].info.status

    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", job], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdout.readline()
        assert status_of_run() == "RUNNING"
        process.kill()
        process.communicate()
        assert status_of_run() == "KILLED"
    journal.finish("FINISHED")
    assert status_of_run() == "FINISHED"


def test_all_journals_are_sent_and_the_summary_tells_what_came_of_each(new_journal, study, uri, runs):
    for seed in (0, 1):
        new_journal(f"digits_cnn/seed-{seed}/0", params={"seed": str(seed)})
    broken = new_journal("digits_cnn/seed-2/0")
    (broken.folder / "run.json").write_text("{}")

    summary = sync_all(study / "state" / "tracking", uri, "digits")

    assert summary.failed
    assert len(runs()) == 2
    assert "seed-0/0: new run, 1 param" in str(summary)
    assert "seed-2/0: the journal cannot be read" in str(summary)
    (broken.folder / "run.json").unlink()
    again = sync_all(study / "state" / "tracking", uri, "digits")
    assert not again.failed
    assert "2 runs, nothing to send" in str(again)


def test_a_store_that_does_not_answer_is_asked_once(new_journal, study, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    for seed in range(3):
        new_journal(f"digits_cnn/seed-{seed}/0")
    summary = sync_all(study / "state" / "tracking", "http://127.0.0.1:9", "digits")
    assert summary.failed
    assert (len(summary.reports), len(summary.unreached)) == (0, 3)
    assert "no answer from http://127.0.0.1:9" in str(summary)
    assert "not tried 3 more" in str(summary)


def test_a_folder_without_journals_is_no_failure(study, uri):
    summary = sync_all(study / "state" / "tracking", uri, "digits")
    assert not summary.failed
    assert "no journal" in str(summary)


def in_threads(work, count):
    results = []
    threads = [threading.Thread(target=lambda: results.append(work())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == count
    return results


def test_a_folder_that_is_no_journal_is_told_and_not_made(tmp_path, uri):
    report = sync_journal(tmp_path / "typo" / "seed-0", uri, "digits")

    (problem,) = report.problems
    assert "run.json is missing; allowed: a folder with one" in problem and not (tmp_path / "typo").exists()
