"""What monitoring found stands at the version that was watched, whichever of the two steps comes first."""

import json
from pathlib import Path

import pytest

from snaketorch import layout
from snaketorch.publish import write_json
from snaketorch.registry.listing import listing
from snaketorch.registry.watched import tell_watched

MADE = "2026-11-22T06:00:00+00:00"
SHA256 = "a" * 64


@pytest.fixture
def registered(model):
    """Version 2 is the model of `cnn`, which watches nothing yet."""

    def register(version="2", registry=model.registry):
        entered = {"name": "digits", "version": version, "registry": registry, "bundle_sha256": SHA256}
        _write(layout.REGISTRATION.format(experiment="cnn"), entered)

    register()
    register.again = register
    return register


def _write(path: str, content: dict) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_json(Path(path), {"format": 1, **content})


def watch(dataset: str, alert: bool, made: str = MADE, sha256: str = SHA256) -> None:
    record = {"inputs": {"bundle": {"sha256": sha256}}}
    content = {"dataset": dataset, "alert": alert, "made": made, "record": record}
    _write(layout.MONITOR.format(experiment="cnn", dataset=dataset), content)


def tags(model, version="2") -> dict[str, str]:
    return {name: text for name, text in model.version(version).tags.items() if name.startswith("snaketorch.monitor.")}


def test_each_dataset_is_a_tag_with_its_time(registered, model):
    watch("april", False)
    watch("may", True)

    tell_watched("cnn")

    assert tags(model) == {
        "snaketorch.monitor.april": "ok",
        "snaketorch.monitor.april.time": MADE,
        "snaketorch.monitor.may": "alert",
        "snaketorch.monitor.may.time": MADE,
    }
    assert tags(model, "1") == tags(model, "3") == {}


def test_the_newest_result_replaces_the_one_before_and_is_told_once(registered, model, monkeypatch, caplog):
    watch("may", True)
    tell_watched("cnn")
    watch("may", False, "2026-11-23T06:00:00+00:00")
    tell_watched("cnn")
    assert tags(model) == {"snaketorch.monitor.may": "ok", "snaketorch.monitor.may.time": "2026-11-23T06:00:00+00:00"}

    monkeypatch.setattr(type(model), "tag", lambda *_: pytest.fail("it is there already"))
    tell_watched("cnn")


def test_a_result_of_another_model_is_told_of_no_version(registered, model):
    watch("may", True, sha256="b" * 64)

    tell_watched("cnn")

    assert tags(model) == {}


def test_a_model_that_is_not_registered_yet_is_tagged_once_it_is(registered, model):
    registered.again(None)
    watch("may", True)
    tell_watched("cnn")
    assert tags(model) == {}

    registered.again("2")
    tell_watched()

    assert tags(model)["snaketorch.monitor.may"] == "alert"


def test_a_version_of_the_same_number_in_another_registry_is_left_alone(registered, model):
    registered.again(registry="http://elsewhere")
    watch("may", True)

    tell_watched("cnn")

    assert tags(model) == {}


def test_with_tracking_off_nothing_is_told_until_somebody_asks(registered, model, monkeypatch):
    monkeypatch.setenv("SNAKETORCH_TRACKING", "off")
    watch("may", True)
    tell_watched("cnn")
    assert tags(model) == {}

    tell_watched(by_hand=True)

    assert tags(model)["snaketorch.monitor.may"] == "alert"


def test_a_registry_that_is_away_is_a_warning_that_says_who_makes_up_for_it(registered, monkeypatch, caplog):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    registered.again(registry="http://127.0.0.1:9")
    watch("may", True)

    tell_watched("cnn")

    assert "`python -m snaketorch sync` tells it" in caplog.text
    assert "secret" not in caplog.text


def test_a_version_that_somebody_deleted_keeps_no_other_from_being_told(registered, model, caplog):
    watch("may", True)
    entered = {"name": "digits", "version": "1", "registry": model.registry, "bundle_sha256": SHA256}
    _write(layout.REGISTRATION.format(experiment="an_earlier_one"), entered)
    record = {"inputs": {"bundle": {"sha256": SHA256}}}
    content = {"dataset": "may", "alert": True, "made": MADE, "record": record}
    _write(layout.MONITOR.format(experiment="an_earlier_one", dataset="may"), content)
    model.client.delete_model_version("digits", "1")

    tell_watched()

    assert tags(model)["snaketorch.monitor.may"] == "alert"
    assert "'digits' has no version 1" in caplog.text


def test_files_that_are_damaged_are_left_to_the_workflow(registered, model):
    watch("may", True)
    Path(layout.MONITOR.format(experiment="cnn", dataset="april")).parent.mkdir()
    Path(layout.MONITOR.format(experiment="cnn", dataset="april")).write_text("{")

    tell_watched("cnn")

    assert tags(model).keys() == {"snaketorch.monitor.may", "snaketorch.monitor.may.time"}


def test_the_list_of_models_says_what_monitoring_found(registered, model):
    watch("may", True)
    tell_watched("cnn")

    found = json.loads(listing(model.client, model.registry, "digits", as_json=True))["models"][0]["versions"]

    assert {each["version"]: each["monitoring"] for each in found} == {
        "3": {},
        "2": {"may": {"result": "alert", "time": MADE}},
        "1": {},
    }
