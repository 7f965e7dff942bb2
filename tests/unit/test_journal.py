import json
import math
from concurrent.futures import ThreadPoolExecutor

import pytest

from snaketorch.journal import Journal, Run, flatten, read_artifacts, read_metrics, read_run


def values(folder) -> list[tuple]:
    return [(line["name"], line["step"], line["value"]) for line in read_metrics(folder)]


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "run", Run(key="a/seed-0/0123", name="a-seed-0"))


def test_values_are_kept_with_step_and_time(journal):
    journal.log_metrics({"train/loss": 0.5, "val/loss": 0.6}, 10)
    journal.log_metrics({"train/loss": 0.4}, 20)
    assert values(journal.folder) == [("train/loss", 10, 0.5), ("val/loss", 10, 0.6), ("train/loss", 20, 0.4)]
    assert all(line["time"] > 1_600_000_000_000 for line in read_metrics(journal.folder))


def test_a_training_that_repeats_steps_leaves_one_history(journal):
    for step in (1, 2, 3):
        journal.log_metrics({"loss": 1 / step, "odd": math.nan}, step)
    again = Journal.reopen(journal.folder)
    for step in (2, 3, 4):
        again.log_metrics({"loss": 1 / step, "odd": math.nan}, step)
    assert [step for name, step, _ in values(journal.folder) if name == "loss"] == [1, 2, 3, 4]
    assert [step for name, step, _ in values(journal.folder) if name == "odd"] == [1, 2, 3, 4]


def test_another_value_at_the_same_step_is_kept_too(journal):
    journal.log_metrics({"test/accuracy": 0.9}, 10)
    journal.log_metrics({"test/accuracy": 0.8}, 10)
    assert [value for *_, value in values(journal.folder)] == [0.9, 0.8]


def test_a_line_cut_off_by_a_kill_costs_that_line_alone(journal):
    journal.log_metrics({"loss": 1.0}, 1)
    with (journal.folder / "metrics.jsonl").open("a") as file:
        file.write('{"name": "loss", "val')
    Journal.reopen(journal.folder).log_metrics({"loss": 0.5}, 2)
    assert values(journal.folder) == [("loss", 1, 1.0), ("loss", 2, 0.5)]


def test_two_jobs_that_tell_one_journal_at_once_lose_nothing(journal, tmp_path):
    first, second = Journal.reopen(journal.folder), Journal.reopen(journal.folder)
    first.tag(a="1")
    second.tag(b="2")
    files = [tmp_path / f"{number}.txt" for number in range(40)]
    for file in files:
        file.write_text(file.name)
    with ThreadPoolExecutor(2) as pool:
        for told, some in ((first, files[:20]), (second, files[20:])):
            pool.submit(lambda told=told, some=some: [told.add_artifact(file) for file in some])

    assert read_run(journal.folder).tags.items() >= {"a": "1", "b": "2"}.items()
    assert {entry["path"] for entry in read_artifacts(journal.folder)} == {str(file.resolve()) for file in files}


def test_a_journal_that_is_opened_again_takes_no_tag_of_another_job_away(journal, monkeypatch):
    other = Journal.reopen(journal.folder)

    def read_meanwhile(folder):
        other.tag(b="2")
        return read_metrics(folder)

    monkeypatch.setattr("snaketorch.journal.read_metrics", read_meanwhile)
    Journal.reopen(journal.folder).tag(a="1")

    assert read_run(journal.folder).tags == {"a": "1", "b": "2"}


def test_status_and_tags_last(journal):
    journal.tag(**{"snaketorch.gpu": "none"})
    journal.finish("FAILED")
    again = Journal.reopen(journal.folder)
    assert (again.run.status, again.run.tags) == ("FAILED", {"snaketorch.gpu": "none"})


def test_artifacts_are_known_by_their_bytes(journal, tmp_path):
    (tmp_path / "figures").mkdir()
    for name in ("a.svg", ".snakemake_timestamp"):
        (tmp_path / "figures" / name).write_text("one")
    journal.add_artifact(tmp_path / "figures")
    (before,) = read_artifacts(journal.folder)
    (tmp_path / "figures" / "a.svg").write_text("two")
    assert read_artifacts(journal.folder) == [before]
    journal.add_artifact(tmp_path / "figures")
    (after,) = read_artifacts(journal.folder)
    assert (
        (before["path"], before["folder"])
        == (after["path"], after["folder"])
        == (
            str(tmp_path / "figures/a.svg"),
            "figures",
        )
    )
    assert before["sha256"] != after["sha256"]


def test_parameters_are_flat_and_text():
    nested = {"model": {"kind": "cnn", "channels": [32, 64]}, "seed": 0, "stop": None}
    assert flatten(nested) == {"model.kind": "cnn", "model.channels": "[32, 64]", "seed": "0", "stop": "null"}
    assert json.loads(flatten(nested)["model.channels"]) == [32, 64]
