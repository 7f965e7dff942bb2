"""The rerun contract beyond single leaves: what is written differently, what comes and goes, what fails."""

import pytest
import yaml
from expected_jobs import REPORT, from_evaluate, from_prepare, from_summarise, from_train

pytestmark = pytest.mark.workflow


def test_a_finished_study_has_nothing_to_do(finished_study):
    outcome = finished_study.dry_run()

    assert outcome.jobs == set()
    assert "Nothing to be done" in outcome.stdout


def test_comments_order_of_keys_and_formatting_rerun_nothing(finished_study):
    for path in finished_study.file(".").rglob("*.yaml"):
        data = yaml.safe_load(path.read_text("utf-8"))
        turned = dict(reversed(data.items()))
        path.write_text("# A new comment.\n\n" + yaml.safe_dump(turned, sort_keys=False, indent=6), "utf-8")

    assert finished_study.dry_run().jobs == set()


def test_a_default_written_out_reruns_nothing(finished_study):
    finished_study.edit("experiments/lstm.yaml", {"optimizer.momentum": 0.9, "data_loader": {"batch_size": 64}})

    assert finished_study.dry_run().jobs == set()


def test_an_edit_reruns_the_experiments_that_extend_it(finished_study):
    finished_study.edit("experiments/cnn.yaml", {"optimizer.lr": 0.01})

    assert finished_study.dry_run().jobs == from_train("cnn", "cnn_wide")


def test_an_edit_does_not_rerun_who_extends_it_and_says_otherwise(finished_study):
    finished_study.edit("experiments/cnn.yaml", {"model.channels": [4], "description": "Not inherited"})

    assert finished_study.dry_run().jobs == from_train("cnn")


def test_a_new_seed_trains_alone(finished_study):
    finished_study.edit("experiments/cnn.yaml", {"seeds": [0, 1, 2]})

    new = {"train_model cnn 2", "evaluate_model cnn 2"}
    assert finished_study.dry_run().jobs == new | from_summarise("cnn")


def test_a_seed_less_reruns_the_summary(finished_study):
    finished_study.edit("experiments/cnn.yaml", {"seeds": [1]})

    assert finished_study.dry_run().jobs == from_summarise("cnn")


def test_a_new_experiment_runs_its_own_jobs(finished_study):
    finished_study.write("experiments/gru_wide.yaml", {"extends": "gru", "model": {"hidden": 64}})

    new = {"train_model gru_wide 0", "evaluate_model gru_wide 0", "summarise_experiment gru_wide"}
    assert finished_study.dry_run().jobs == new | REPORT


def test_an_experiment_less_reruns_the_report(finished_study):
    finished_study.file("experiments/lstm.yaml").unlink()
    finished_study.file("datasets/thumbnails.yaml").unlink()

    assert finished_study.dry_run().jobs == REPORT


def test_a_dataset_that_nobody_names_does_not_run(finished_study):
    finished_study.write("datasets/nile.yaml", {"source": {"kind": "statsmodels", "name": "nile"}})

    assert finished_study.dry_run().jobs == set()


@pytest.mark.parametrize(
    ("path", "jobs"),
    [
        ("results/datasets/digits/manifest.json", from_prepare("digits")),
        (
            "results/experiments/cnn/seed-1/history.csv",
            {"train_model cnn 1", "evaluate_model cnn 1"} | from_summarise("cnn"),
        ),
        ("results/experiments/gru/seed-0/predictions.parquet", from_evaluate("gru")),
        ("results/experiments/gru/config.yaml", from_summarise("gru")),
    ],
)
def test_a_result_that_was_deleted_is_made_again(path, jobs, finished_study):
    (finished_study.folder / path).unlink()

    assert finished_study.dry_run().jobs == jobs


@pytest.mark.parametrize(
    "path",
    [
        "results/datasets/digits/manifest.json",
        "results/experiments/cnn/seed-0/model.ckpt",
        "results/experiments/cnn/seed-0/metrics.json",
    ],
)
def test_a_newer_file_with_the_same_content_reruns_nothing(path, finished_study):
    finished_study.touch(path)

    assert finished_study.dry_run().jobs == set()


def test_a_new_tracking_store_never_trains_a_model_again(finished_study):
    (finished_study.folder / "results/tracking.json").unlink()

    assert finished_study.run_with_stub().jobs == {"init_tracking"}
    assert finished_study.dry_run().jobs == set()


def test_the_tracking_server_of_the_environment_reruns_nothing(finished_study):
    finished_study.environment = {"MLFLOW_TRACKING_URI": "https://me:secret@mlflow.example.org"}

    assert finished_study.dry_run().jobs == set()


@pytest.mark.parametrize(
    ("step", "file", "edit", "jobs"),
    [
        ("prepare", "datasets/sunspots.yaml", {"split.val": 0.1}, from_prepare("sunspots")),
        ("train", "experiments/cnn.yaml", {"optimizer.lr": 0.01}, from_train("cnn", "cnn_wide")),
        ("evaluate", "experiments/gru.yaml", {"evaluate": {"examples": 3}}, from_evaluate("gru")),
        ("summarise", "experiments/gru.yaml", {"description": "Another"}, from_summarise("gru")),
        ("report", "config.yaml", {"report.title": "Another"}, REPORT),
    ],
)
def test_a_step_that_fails_after_an_edit_is_not_taken_for_done(step, file, edit, jobs, finished_study):
    finished_study.edit(file, edit)

    assert finished_study.run_with_stub(fails=step).code == 1

    again = finished_study.dry_run()
    assert "Nothing to be done" not in again.stdout
    assert again.jobs == jobs, "neither the old result nor a part of the new one counts"
