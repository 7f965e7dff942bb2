"""What the page tells of a gate."""

import pytest
from jinja2 import Environment, PackageLoader, StrictUndefined

from snaketorch.errors import UserError
from snaketorch.provenance import file_sha256
from snaketorch.publish import write_json
from snaketorch.report.page import FILTERS
from snaketorch.report.registry import registrations
from snaketorch.report.results import Experiment

REGISTRATION = {
    "format": 1,
    "name": "digits",
    "version": "3",
    "decision": "refused",
    "reasons": ["test/accuracy 0.95 is below 0.97"],
    "gate": {"metric": "test/accuracy", "min": 0.97, "max": None, "not_worse_than": "champion", "margin": 0.002},
    "candidate": {"seed": 1, "metric": "test/accuracy", "mode": "max", "value": 0.95, "ci95": [0.94, 0.96], "n": 3},
    "champion": {"version": "2", "value": 0.98, "same_data": False, "ci95": None},
    "difference": {"value": -0.03, "ci95": [-0.05, -0.01], "by": "test samples, paired bootstrap"},
    "aliases": {"candidate": "1", "champion": "2", "previous_champion": None},
}


@pytest.fixture
def experiment(tmp_path) -> Experiment:
    (tmp_path / "summary.json").write_text("{}")
    record = {"inputs": {"summary": {"sha256": file_sha256(tmp_path / "summary.json")}}}
    write_json(tmp_path / "registration.json", REGISTRATION | {"record": record})
    return Experiment("cnn", tmp_path, {}, "", [], {})


def shown(experiment: Experiment) -> str:
    templates = Environment(
        loader=PackageLoader("snaketorch.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    templates.filters |= {function.__name__: function for function in FILTERS}
    chapter = {"registration": registrations([experiment], ["cnn"])["cnn"]}
    return templates.get_template("registry.html").render(chapter=chapter, name="cnn")


def test_a_refused_candidate_is_shown_with_its_numbers(experiment):
    page = shown(experiment)

    assert '<span class="chip problem">refused</span>' in page
    assert "accuracy at least 0.97, not worse by more than 0.002 than the champion" in page
    assert "version 2: 0.9800, tested anew on this test data" in page
    assert "−0.030; 95 % interval −0.050 to −0.010, over test samples, paired bootstrap" in page
    assert "Test/accuracy 0.95 is below 0.97" in page
    assert "version 3 of digits</dd>" in page, "it has no alias"


def test_one_that_waits_for_the_registry_says_so(experiment):
    later = {"decision": "unregistered", "version": None, "champion": None, "difference": None, "aliases": {}}
    record = {"inputs": {"summary": {"sha256": file_sha256(experiment.folder / "summary.json")}}}
    write_json(experiment.folder / "registration.json", REGISTRATION | later | {"record": record})

    page = shown(experiment)

    assert "not registered yet" in page
    assert "Registered as" not in page


def test_only_experiments_with_a_gate_are_told_of(experiment):
    assert registrations([experiment], []) == {}


def test_an_old_registration_does_not_pose_as_a_new_one(experiment):
    (experiment.folder / "summary.json").write_text("{ }")

    with pytest.raises(UserError, match=r"registration.json: was made before .*summary.json changed"):
        registrations([experiment], ["cnn"])
