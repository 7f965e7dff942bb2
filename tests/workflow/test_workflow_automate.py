"""A model that is retrained, promoted and watched without hands."""

import pytest
from expected_jobs import from_train

pytestmark = pytest.mark.workflow

CHAIN = ("bundle_model", "predict_dataset", "monitor_dataset", "register_model", "settle_model")


@pytest.fixture
def automated(new_study):
    """A study with one experiment that promotes its model on its own and watches a dataset."""
    new_study.edit("experiments/cnn.yaml", {"monitor": {"data": ["digits"]}, "register": {"auto_promote": True}})
    new_study.edit("experiments/cnn_wide.yaml", {"monitor": None, "register": None})  # which would inherit them
    return new_study


def test_a_model_that_is_promoted_and_watched_is_settled_once(automated):
    assert set(CHAIN) <= steps(automated.run_with_stub().jobs)
    assert automated.dry_run().jobs == set()
    call = next(call for call in automated.calls() if call[2] == "settle")
    assert call[call.index("--alerts") + 1] == "results/experiments/cnn/monitor/digits/alert.json"
    assert call[call.index("--registration") + 1] == "results/experiments/cnn/registration.json"


def test_other_thresholds_settle_again_and_train_nothing(automated):
    automated.run_with_stub()

    automated.edit("experiments/cnn.yaml", {"monitor.thresholds": {"psi": 0.3}})

    assert steps(automated.dry_run("retrain").jobs) >= {"monitor_dataset", "settle_model"}
    assert not steps(automated.dry_run("retrain").jobs) & {"train_model", "bundle_model", "predict_dataset"}


def test_retrain_brings_new_data_to_the_champion_and_nothing_else(automated):
    automated.run_with_stub()

    automated.edit("datasets/digits.yaml", {"split.seed": 7})  # as other raw files: another dataset

    again = automated.dry_run("retrain").jobs
    assert {"prepare_dataset digits"} | {job for job in from_train("cnn") if "report" not in job} <= again
    assert set(CHAIN) - {"predict_dataset"} <= steps(again)
    assert not {job for job in again if job.startswith("report_study") or "cnn_wide" in job or "gan" in job}


def test_who_promotes_by_hand_settles_by_hand(automated):
    automated.edit("experiments/cnn.yaml", {"register": {"auto_promote": False}})

    assert "settle_model" not in steps(automated.dry_run("retrain").jobs)


def steps(jobs: set[str]) -> set[str]:
    return {job.split()[0] for job in jobs}
