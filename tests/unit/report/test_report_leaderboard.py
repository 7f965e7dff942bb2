from types import SimpleNamespace

import pytest

from snaketorch.report.leaderboard import leaderboards
from snaketorch.report.results import Experiment


def generator(name: str, classifier: str | None = None, sha256: str | None = None) -> Experiment:
    """A GAN that was compared with real images by what ``classifier`` sees in them, or by their pixels."""
    features = {"from_experiment": classifier} if classifier else None
    inputs = {"features": {"sha256": sha256}} if classifier else {}
    metrics = {
        "split": "test",
        "samples": 360,
        "task": {"kind": "gan", "features": features},
        "record": {"inputs": inputs},
    }
    goal = {"values": {"0": 3.5}, "mean": 3.5, "sd": None, "ci95": None, "n": 1}
    summary = {
        "data": "digits",
        "goal": "test/frechet",
        "mode": "min",
        "task": "gan",
        "metrics": {"test/frechet": goal},
        "baselines": {},
    }
    return Experiment(name, None, summary, "", [SimpleNamespace(metrics=metrics)], {})


@pytest.mark.parametrize(
    "other",
    [generator("pixels"), generator("other_name", "lstm", "aa"), generator("trained_again", "cnn", "bb")],
    ids=lambda experiment: experiment.name,
)
def test_distances_between_other_features_have_a_leaderboard_of_their_own(other):
    boards = leaderboards([generator("first", "cnn", "aa"), other, generator("second", "cnn", "aa")])

    assert [[row.experiment.name for row in board.rows] for board in boards] == [["first", "second"], [other.name]]
