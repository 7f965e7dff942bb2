from types import SimpleNamespace
from typing import Any

import pytest

from snaketorch.report.leaderboard import leaderboards
from snaketorch.report.matrices import matrices
from snaketorch.report.results import Experiment


def outcome(name: str, goal: str, task: dict[str, Any], inputs: dict[str, Any] | None = None, **metrics) -> Experiment:
    """An experiment with one seed and a mean of 3.5."""
    found = {"split": "test", "samples": 360, "task": task, "record": {"inputs": inputs or {}}, **metrics}
    summary = {
        "data": "data",
        "goal": goal,
        "mode": "min",
        "task": task["kind"],
        "metrics": {goal: {"values": {"0": 3.5}, "mean": 3.5, "sd": None, "ci95": None, "n": 1}},
        "baselines": {},
        "record": {"spec": {"config": {"task": task}}},
    }
    return Experiment(name, None, summary, "", [SimpleNamespace(metrics=found)], {})


def generator(name: str, classifier: str | None = None, sha256: str | None = None) -> Experiment:
    """A GAN that was compared with real images by what ``classifier`` sees in them, or by their pixels."""
    features = {"from_experiment": classifier} if classifier else None
    inputs = {"features": {"sha256": sha256}} if classifier else {}
    return outcome(name, "test/frechet", {"kind": "gan", "features": features}, inputs)


def forecaster(name: str, horizon: int, targets: list[str] | None = None) -> Experiment:
    return outcome(name, "test/mae", {"kind": "forecasting", "horizon": horizon, "targets": targets})


def writer(name: str, windows: int) -> Experiment:
    """A language model that read a text of 999 tokens in so many windows."""
    task = {"kind": "language_modelling"}
    return outcome(name, "test/bits_per_character", task, samples=windows, details={"tokens": 999})


@pytest.mark.parametrize(
    "other",
    [generator("pixels"), generator("other_name", "lstm", "aa"), generator("trained_again", "cnn", "bb")],
    ids=lambda experiment: experiment.name,
)
def test_distances_between_other_features_have_a_leaderboard_of_their_own(other):
    boards = leaderboards([generator("first", "cnn", "aa"), other, generator("second", "cnn", "aa")])

    assert [[row.experiment.name for row in board.rows] for board in boards] == [["first", "second"], [other.name]]


def test_leaderboards_of_one_goal_on_the_same_data_say_what_sets_them_apart():
    generators = [generator("a", "cnn", "aa"), generator("b")]
    forecasters = [forecaster("c", 1), forecaster("d", 24, ["load"])]

    boards = leaderboards([*generators, *forecasters])

    assert [board.apart for board in boards] == [
        "by what cnn sees",
        "by pixels",
        "1 step ahead",
        "24 steps ahead, of load",
    ]
    assert leaderboards(generators[:1])[0].apart == ""


def test_language_models_that_read_the_same_text_in_other_windows_share_a_leaderboard():
    (board,) = leaderboards([writer("short", 60), writer("long", 7)])

    assert (board.tested, board.unit) == (999, "tokens")


def test_no_experiment_of_a_matrix_is_best_where_each_is_asked_something_else():
    one_task = [forecaster("near", 1), forecaster("again", 1)]
    (alike,) = matrices({"grid": ["near", "again"]}, one_task)
    (apart,) = matrices({"grid": ["near", "far"]}, [forecaster("near", 1), forecaster("far", 24)])

    assert [row.is_best for row in alike.rows] == [True, False] and alike.axis is not None
    assert (apart.keys, [row.values for row in apart.rows]) == (["task.horizon"], [["1"], ["24"]])
    assert [row.is_best for row in apart.rows] == [False, False] and apart.axis is None


def test_a_baseline_that_two_machines_rounded_otherwise_stands_once():
    experiments = [forecaster(name, 1) for name in "abc"]
    for one, linear, naive in zip(experiments, (27.15, 27.150000000000002, 27.15), (30.0, 31.0, 30.0), strict=True):
        one.summary["baselines"] = {"linear": {"test/mae": linear}, "seasonal_naive": {"test/mae": naive}}

    (board,) = leaderboards(experiments)

    names = [baseline.name for baseline in board.baselines]
    assert names == ["linear", "seasonal_naive (a)", "seasonal_naive (c)", "seasonal_naive (b)"]
