"""What the predictions of a dataset are told depends on whether monitoring watches it."""

import json
from types import SimpleNamespace

import pytest

from snaketorch.config.load import load_study
from snaketorch.dag.workflow import Workflow


@pytest.fixture
def asked(study_files):
    """Specs of `cnn` with some more keys: of the prediction of a dataset, and of its comparison."""

    def specs(dataset, **sections):
        path = study_files / "config/experiments/cnn.yaml"
        before = path.read_text("utf-8")
        path.write_text(before + "".join(f"{name}: {json.dumps(each)}\n" for name, each in sections.items()), "utf-8")
        workflow, job = Workflow(load_study(study_files)), SimpleNamespace(experiment="cnn", dataset=dataset)
        path.write_text(before, "utf-8")
        predict = json.loads(workflow.predict_spec(job))
        return predict, json.loads(workflow.monitor_spec(job)) if "monitor" in sections else None

    return specs


def test_bad_rows_of_a_dataset_that_is_watched_are_for_monitoring_to_tell(asked):
    predict, monitor = asked("digits", predict={"data": ["digits"], "max_bad_share": 0.2}, monitor={"data": ["digits"]})

    assert predict["is_watched"] is True
    assert monitor["max_bad_share"] == 0.2


def test_where_no_row_may_be_bad_one_is_an_alarm(asked):
    predict, monitor = asked("digits", predict={"data": ["digits"], "on_bad_row": "fail"}, monitor={"data": ["digits"]})

    assert predict["is_watched"] is True
    assert monitor["max_bad_share"] == 0.0


def test_a_dataset_that_nobody_watches_is_an_error_with_too_many_of_them(asked):
    predict, _ = asked("digits", predict={"data": ["digits"]})

    assert predict["is_watched"] is False
