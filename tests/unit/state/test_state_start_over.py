import re
from pathlib import Path

import pytest

from snaketorch.errors import InUse, UserError
from snaketorch.state.lock import sole_writer
from snaketorch.state.start_over import start_over, sweep_over

CONFIGURED = {"cnn": [0, 1], "lstm": [0]}


@pytest.fixture
def root(tmp_path) -> Path:
    """State of two seeds of one experiment, and of one that is no longer configured."""
    for folder in ("cnn/seed-0/one", "cnn/seed-1/two", "gone/seed-0/three"):
        path = tmp_path / "train" / folder
        path.mkdir(parents=True)
        (path / "step-000000010.ckpt").write_bytes(b"x")
    return tmp_path


def test_the_state_of_one_training_is_put_aside_and_nothing_is_lost(root):
    ((name, place),) = start_over("cnn", 0, CONFIGURED, root)
    assert name == "cnn/seed-0"
    assert place.parent == root / "set-aside/cnn/seed-0"
    assert re.fullmatch(r"one-\d{8}T\d{6}", place.name)
    assert (place / "step-000000010.ckpt").exists()
    assert not (root / "train/cnn/seed-0/one").exists()
    assert (root / "train/cnn/seed-1/two").exists()


def test_without_a_seed_all_trainings_of_the_experiment_begin_anew(root):
    places = start_over("cnn", None, CONFIGURED, root)
    assert [place.parent.name for _, place in places] == ["seed-0", "seed-1"]
    assert not list((root / "train/cnn").glob("*/*"))


def test_an_experiment_that_is_no_longer_configured_is_known_by_its_state(root):
    assert len(start_over("gone", 0, CONFIGURED, root)) == 1


def test_where_one_of_several_trainings_runs_none_is_put_aside(root):
    with sole_writer(root / "train/cnn/seed-1/two"), pytest.raises(InUse, match="is in use by"):
        start_over("cnn", None, CONFIGURED, root)
    assert (root / "train/cnn/seed-0/one/step-000000010.ckpt").exists()
    assert not (root / "set-aside").exists()


def test_a_training_that_runs_is_left_alone(root):
    with sole_writer(root / "train/cnn/seed-0/one"), pytest.raises(InUse, match="is in use by"):
        start_over("cnn", 0, CONFIGURED, root)
    assert (root / "train/cnn/seed-0/one/step-000000010.ckpt").exists()


@pytest.mark.parametrize(
    ("experiment", "seed", "message"),
    [
        ("cn", None, "there is no experiment 'cn'; allowed: cnn, gone, lstm"),
        ("cnn", 2, "cnn has no seed 2; allowed: 0, 1"),
        (
            "lstm",
            0,
            "lstm with seed 0 has no unfinished training to put aside; a finished one is trained again when "
            "its results under results/experiments/lstm are deleted",
        ),
    ],
)
def test_what_is_unknown_or_has_nothing_to_put_aside_is_refused(root, experiment, seed, message):
    with pytest.raises(UserError) as caught:
        start_over(experiment, seed, CONFIGURED, root)
    assert str(caught.value) == message


@pytest.fixture
def sweeps(tmp_path) -> Path:
    """State of two sweeps of one experiment, the second with another space."""
    for folder in ("first", "second"):
        path = tmp_path / "tune/cnn" / folder
        path.mkdir(parents=True)
        (path / "trials.jsonl").write_text("")
    return tmp_path


def test_all_trials_of_a_sweep_are_put_aside(sweeps):
    places = sweep_over("cnn", ["cnn"], sweeps)
    assert [re.fullmatch(r"sweep-(\w+)-\d{8}T\d{6}", place.name)[1] for place in places] == ["first", "second"]
    assert all((place / "trials.jsonl").exists() for place in places)
    assert not list((sweeps / "tune/cnn").glob("*/trials.jsonl"))


def test_a_sweep_that_runs_is_left_alone(sweeps):
    with sole_writer(sweeps / "tune/cnn"), pytest.raises(InUse, match="is in use by"):
        sweep_over("cnn", ["cnn"], sweeps)
    assert len(list((sweeps / "tune/cnn").glob("*/trials.jsonl"))) == 2


@pytest.mark.parametrize(
    ("experiment", "message"),
    [
        ("lstm", "there is no sweep of an experiment 'lstm'; allowed: cnn, gan"),
        ("gan", "the sweep of gan has not begun: there is nothing to put aside"),
    ],
)
def test_a_sweep_that_is_unknown_or_has_not_begun_is_refused(sweeps, experiment, message):
    with pytest.raises(UserError) as caught:
        sweep_over(experiment, ["gan"], sweeps)
    assert str(caught.value) == message
