"""The example study, as a newcomer runs it: real data, real training, the figures that the README promises."""

import csv
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest
import study_process as study

pytestmark = pytest.mark.e2e

SEEDS = {
    "digits_cnn": 2,
    "digits_cnn_sweep": 2,
    "digits_dcgan": 1,
    "digits_gan": 1,
    "digits_gru": 1,
    "digits_low": 5,
    "digits_lstm": 1,
    "digits_rnn": 1,
    "digits_scratch": 5,
    "digits_transfer": 5,
    "docs_lstm": 1,
    "names_lstm": 1,
    "names_rnn": 1,
    "sunspots_gru": 1,
}
"""Of each experiment; fewer than the example has where another tells nothing new, for time."""
FEWER = {"digits_cnn": [0, 1], "digits_lstm": [0], "names_rnn": [0], "sunspots_gru": [0]}
"""In the files that say so; experiments that extend them follow."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder in which the example study has run."""
    folder = tmp_path_factory.mktemp("example")
    shutil.copytree(study.REPO / "config", folder / "config")
    for name, seeds in FEWER.items():
        file = folder / f"config/experiments/{name}.yaml"
        text, changed = re.subn(r"(?m)^seeds: \[.*?\]", f"seeds: {seeds}", file.read_text())
        assert changed == 1
        file.write_text(text)
    result = study.run(folder, timeout=3600)  # about six minutes on two cores that do nothing else
    assert result.returncode == 0, result.stdout
    return folder


def summary(folder: Path, experiment: str) -> dict:
    return json.loads((folder / f"results/experiments/{experiment}/summary.json").read_text())


def mean(folder: Path, experiment: str, metric: str) -> float:
    return summary(folder, experiment)["metrics"][metric]["mean"]


def baselines(folder: Path, experiment: str, metric: str) -> dict[str, float]:
    return {name: values[metric] for name, values in summary(folder, experiment)["baselines"].items()}


def test_each_cell_and_network_reads_digits(folder):
    least = {"digits_cnn": 0.98, "digits_lstm": 0.95, "digits_gru": 0.95, "digits_rnn": 0.90}
    found = {experiment: mean(folder, experiment, "test/accuracy") for experiment in least}
    assert {name: found[name] for name in least if found[name] < least[name]} == {}


def test_forecasts_beat_those_that_cost_nothing(folder):
    naive = baselines(folder, "sunspots_gru", "test/mae")
    assert mean(folder, "sunspots_gru", "test/mae") < min(naive["persistence"], naive["seasonal_naive"])


def test_a_language_model_beats_counts_of_letters(folder):
    bigram = baselines(folder, "docs_lstm", "test/bits_per_character")["bigram"]
    assert mean(folder, "docs_lstm", "test/bits_per_character") < 0.7 * bigram


def test_names_are_told_better_than_by_their_letters(folder):
    letters = baselines(folder, "names_rnn", "test/accuracy")["bag_of_characters"]
    assert mean(folder, "names_lstm", "test/accuracy") > mean(folder, "names_rnn", "test/accuracy") > letters


@pytest.mark.parametrize("experiment", ["digits_gan", "digits_dcgan"])
def test_generated_images_come_near_real_ones(folder, experiment):
    untrained = max(baselines(folder, experiment, "test/frechet").values())
    assert mean(folder, experiment, "test/frechet") <= untrained / 4
    history = csv.DictReader((folder / f"results/experiments/{experiment}/seed-0/history.csv").open())
    distances = [float(row["val/frechet"]) for row in history if row["val/frechet"]]
    assert distances[-1] < distances[0]
    assert list((folder / f"results/experiments/{experiment}/seed-0/samples").glob("epoch-*.png"))


def test_transfer_beats_fresh_weights_beyond_the_intervals(folder):
    from_trained, fresh = (
        summary(folder, experiment)["metrics"]["test/accuracy"]["ci95"]
        for experiment in ("digits_transfer", "digits_scratch")
    )
    assert from_trained[0] > fresh[1]


def test_a_sweep_finds_values_about_as_good_as_those_by_hand(folder):
    found = {name: mean(folder, name, "test/accuracy") for name in ("digits_cnn", "digits_cnn_sweep")}
    assert found["digits_cnn_sweep"] > found["digits_cnn"] - 0.02
    assert "the same without the sweep" in (folder / "results/report.html").read_text()


def test_every_seed_is_summarised(folder):
    for experiment, seeds in SEEDS.items():
        assert summary(folder, experiment)["metrics"][summary(folder, experiment)["goal"]]["n"] == seeds


def test_the_metrics_are_those_of_the_predictions(folder):
    for path in folder.glob("results/experiments/digits_[clt]*/seed-*"):  # the classifiers among them
        table = pyarrow.parquet.read_table(path / "predictions.parquet").to_pydict()
        right = [a == b for a, b in zip(table["label"], table["predicted"], strict=True)]
        metrics = json.loads((path / "metrics.json").read_text())["metrics"]
        assert metrics["test/accuracy"] == pytest.approx(sum(right) / len(right))


def test_histories_have_one_row_an_epoch(folder):
    for path in folder.glob("results/experiments/*/seed-*"):
        rows = list(csv.DictReader((path / "history.csv").open()))
        record = json.loads((path / "record.json").read_text())
        assert [int(row["epoch"]) for row in rows] == list(range(1, record["epochs"] + 1))


def test_mlflow_holds_one_run_a_seed_under_one_run_an_experiment(folder):
    store = sqlite3.connect(folder / "results/mlflow.db")
    runs = dict(store.execute("select run_uuid, name from runs where status = 'FINISHED'"))
    parents = dict(store.execute("select run_uuid, value from tags where key = 'mlflow.parentRunId'"))
    of_trials = "select run_uuid from tags where key = 'snaketorch.kind' and value = 'trial'"
    trials = {run for (run,) in store.execute(of_trials)}
    children = sorted((runs[parent], runs[child]) for child, parent in parents.items() if child not in trials)
    assert len(trials) == 8 and {runs[parents[run]] for run in trials} == {"digits_cnn_sweep-sweep"}
    assert children == [(name, f"{name}-seed-{seed}") for name, count in SEEDS.items() for seed in range(count)]
    (accuracy,) = store.execute(
        "select value from latest_metrics join runs using (run_uuid)"
        " where name = 'digits_cnn' and key = 'test/accuracy'"
    ).fetchone()
    assert accuracy == pytest.approx(mean(folder, "digits_cnn", "test/accuracy"))


def test_a_second_run_has_nothing_to_do(folder):
    result = study.run(folder)
    assert result.returncode == 0
    assert "Nothing to be done" in result.stdout


def test_status_calls_everything_done(folder):
    for verify in ([], ["--verify"]):
        command = [sys.executable, "-m", "snaketorch", "status", *verify]
        said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
        total = sum(SEEDS.values())
        assert f"total: {total} trainings: {total} done\nnext:  nothing: all results are up to date" in said, said


def test_snakemake_writes_its_own_report_with_our_figures(folder):
    result = study.run(folder, "--report", "snakemake-report.html")
    assert result.returncode == 0, result.stdout
    page = (folder / "snakemake-report.html").read_text()
    for words in ("confusion", "report.html", "sunspots_gru"):
        assert words in page


def test_no_process_and_no_live_state_is_left(folder):
    assert not study.processes(folder, "snaketorch")
    assert not list(folder.glob("state/train/**/*.ckpt"))


def test_the_study_stays_right_when_the_folder_moves(folder, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(folder, moved, symlinks=True, copy_function=shutil.copy2)
    for path in folder.rglob("*"):  # copytree keeps the times of files; those of folders count too
        if path.is_dir():
            os.utime(moved / path.relative_to(folder), (path.stat().st_atime, path.stat().st_mtime))
    assert "Nothing to be done" in study.run(moved, "-n").stdout
