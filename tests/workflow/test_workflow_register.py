"""The gate into the registry is a job after all others of its experiment; an edit of it trains and tests nothing."""

import re

import pytest
from expected_jobs import ALL, REPORT, from_evaluate, from_train

pytestmark = pytest.mark.workflow

GATE = {"name": "digits", "gate": {"min": 0.9}}
OF_GATE = {"bundle_model cnn", "register_model cnn"}


@pytest.fixture(scope="module")
def _registered(tmp_path_factory, _finished):
    study = _finished.copy(tmp_path_factory.mktemp("registered") / "study")
    study.edit("experiments/cnn.yaml", {"register": GATE})
    study.edit("experiments/cnn_wide.yaml", {"register": None})  # which extends it
    assert study.run_with_stub().jobs == OF_GATE | REPORT
    return study


@pytest.fixture
def registered_study(tmp_path, _registered):
    """A small study of which everything has run, with a gate."""
    return _registered.copy(tmp_path / "study")


def test_a_gate_is_asked_when_all_is_measured(new_study):
    new_study.edit("experiments/cnn.yaml", {"register": GATE})
    new_study.edit("experiments/cnn_wide.yaml", {"register": None})

    outcome = new_study.dry_run()

    assert outcome.jobs == ALL | OF_GATE
    (inputs,) = re.findall(r"^rule register_model:\n    input: (.*)$", outcome.stdout, re.MULTILINE)
    assert "results/experiments/cnn/summary.json" in inputs.split(", ")
    assert "results/experiments/cnn/bundle" in inputs.split(", ")


@pytest.mark.parametrize(
    "change",
    [
        {"register.gate.min": 0.95},
        {"register.gate.max": 0.999},
        {"register.gate.margin": 0.01},
        {"register.gate.not_worse_than": None},
        {"register.gate.metric": "test/loss"},
        {"register.name": "letters"},
        {"register.auto_promote": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_gate_is_asked_alone(change, registered_study):
    registered_study.edit("experiments/cnn.yaml", change)

    assert registered_study.dry_run().jobs == {"register_model cnn"} | REPORT


def test_another_seed_is_another_bundle(registered_study):
    registered_study.edit("experiments/cnn.yaml", {"register.seed": 1})

    assert registered_study.dry_run().jobs == OF_GATE | REPORT


def test_a_gate_that_is_taken_away_leaves_the_page_to_be_made(registered_study):
    registered_study.edit("experiments/cnn.yaml", {"register": None})

    assert registered_study.dry_run().jobs == REPORT


def test_another_training_is_registered_again(registered_study):
    registered_study.edit("experiments/cnn.yaml", {"optimizer.lr": 0.01})
    registered_study.edit("experiments/cnn_wide.yaml", {"optimizer": {"lr": 0.003}})

    assert registered_study.dry_run().jobs == from_train("cnn") | OF_GATE


def test_another_test_asks_the_gate_again(registered_study):
    registered_study.edit("experiments/cnn.yaml", {"evaluate": {"metrics": ["accuracy", "loss"]}})
    registered_study.edit("experiments/cnn_wide.yaml", {"evaluate": {"metrics": None}})

    assert registered_study.dry_run().jobs == from_evaluate("cnn") | {"register_model cnn"}


def test_gates_can_be_asked_for_alone(registered_study):
    registered_study.edit("experiments/cnn.yaml", {"register.gate.min": 0.95})

    assert registered_study.dry_run("register").jobs == {"register_model cnn"}


def test_the_step_is_told_its_files(registered_study):
    (call,) = [call for call in registered_study.calls() if call[2] == "register"]
    told = dict(zip(call[3::2], call[4::2], strict=False))

    assert told["--registration"] == "results/experiments/cnn/registration.json"
    assert told["--summary"] == "results/experiments/cnn/summary.json"
    assert told["--bundle"] == "results/experiments/cnn/bundle"
