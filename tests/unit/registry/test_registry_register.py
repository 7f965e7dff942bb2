"""The step: what a gate's decision does in the registry, and what is said of it."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from snaketorch.config.register import Gate
from snaketorch.config.specs import RegisterSpec
from snaketorch.errors import UserError
from snaketorch.publish import write_json
from snaketorch.registry import champion, entry, later, register
from snaketorch.registry.aliases import Model
from snaketorch.registry.audit import Audit
from snaketorch.registry.candidate import Candidate, Measured
from snaketorch.registry.package import Registered
from snaketorch.registry.promotion import promote, rollback
from snaketorch.tracking.store import connect

REGISTRATION = Path("results/experiments/cnn/registration.json")


def candidate(accuracy: dict[str, float], sha256: str = "a" * 64, data: str = "0123456789abcdef") -> Candidate:
    """Of seed 0."""
    summary = {"study": "small", "metrics": {"test/accuracy": {"values": accuracy, "ci95": None}}}
    task = {"kind": "image_classification"}
    tested = Measured("test/accuracy", "max", 0, accuracy, None, task, data, Path("none.parquet"))
    record = {"experiment": "cnn", "seed": 0, "journal": "none", "run_key": f"cnn/seed-0/{sha256[:4]}"}
    return Candidate(
        Path("bundle"), sha256, summary, "b" * 64, record | {"started": "2026-11-22T00:00:00+00:00"}, tested
    )


@pytest.fixture
def ask(uri, study, monkeypatch):
    """Asks the gate for a candidate; the models themselves are not packed."""

    def logged(client, run_id, bundle, name, tags):
        there = found.model.versions if found.model.exists else client.create_registered_model(name) and []
        for version in there:
            if version.tags["snaketorch.bundle_sha256"] == found.candidate.bundle_sha256:
                return Registered(name, str(version.version), "m-1")
        own = {"snaketorch.bundle_sha256": found.candidate.bundle_sha256, "snaketorch.seed": "0"}
        own["snaketorch.data_digest"] = found.candidate.tested.data_digest
        version = client.create_model_version(name, study.as_uri(), run_id, dict(tags) | own)
        return Registered(name, str(version.version), "m-1")

    def refused(*_):
        raise UserError("its files cannot be read")

    monkeypatch.setattr(entry, "log_candidate", logged)
    monkeypatch.setattr(champion, "fetch_bundle", refused)
    monkeypatch.setattr(register, "read_candidate", lambda *_: found.candidate)
    monkeypatch.setattr(register.Manifest, "load", lambda _: SimpleNamespace(digest="0123456789abcdef"))
    found = SimpleNamespace(model=Model(connect(uri), "digits", uri), candidate=None, audit=Audit())

    def run(asked: Candidate, auto_promote: bool = False, **gate):
        found.candidate = asked
        metric = Gate(metric="test/accuracy", **gate)
        spec = RegisterSpec(study="small", experiment="cnn", name="digits", gate=metric, auto_promote=auto_promote)
        files = {name: Path(name) for name in ("summary", "manifest", "bundle")}
        return register.register(spec, **files, registration=REGISTRATION, code="0" * 16)

    run.model, run.audit = found.model, found.audit
    return run


def test_a_model_that_passes_is_the_candidate(ask):
    found = ask(candidate({"0": 0.98}), min=0.97)

    assert (found["decision"], found["version"], found["model_uri"]) == ("accepted", "1", "models:/digits/1")
    assert ask.model.aliases == found["aliases"] == {"candidate": "1", "champion": None, "previous_champion": None}
    tags = ask.model.version("1").tags
    assert (tags["snaketorch.gate"], tags["snaketorch.value"]) == ("accepted", "0.98")
    assert json.loads(REGISTRATION.read_text()) == found


def test_a_model_that_is_refused_is_a_version_without_an_alias(ask):
    found = ask(candidate({"0": 0.5}), min=0.97)

    assert (found["decision"], found["version"]) == ("refused", "1")
    assert set(found["aliases"].values()) == {None}
    assert ask.model.version("1").tags["snaketorch.gate_reasons"].startswith("test/accuracy 0.5 is below 0.97")


def test_asking_again_changes_nothing(ask):
    ask(candidate({"0": 0.98}), auto_promote=True)
    written = ask.audit.path.read_text()

    found = ask(candidate({"0": 0.98}), auto_promote=True)

    assert (found["version"], found["decision"]) == ("1", "accepted")
    assert "it is the champion, version 1" in found["reasons"]
    assert len(ask.model.versions) == 1
    assert ask.audit.path.read_text() == written


def test_a_champion_on_the_same_data_is_compared_by_its_stored_seeds(ask):
    ask(candidate({"0": 0.97, "1": 0.96, "2": 0.98}), auto_promote=True)

    found = ask(candidate({"0": 0.98, "1": 0.98, "2": 0.98}, "c" * 64), auto_promote=True)

    assert found["champion"] == {"version": "1", "value": 0.97, "same_data": True, "ci95": None}
    assert found["difference"]["value"] == pytest.approx(0.01)
    assert found["difference"]["ci95"] == pytest.approx([0.01 - 0.0248, 0.01 + 0.0248], abs=1e-4)
    assert found["difference"]["by"] == "seeds, paired"
    assert found["aliases"] == {"candidate": "2", "champion": "2", "previous_champion": "1"}


def test_one_seed_is_compared_without_an_interval_where_the_champion_is_gone(ask):
    ask(candidate({"0": 0.97}), auto_promote=True)

    found = ask(candidate({"0": 0.96}, "c" * 64), auto_promote=True, margin=0.002)

    assert (found["decision"], found["aliases"]["champion"]) == ("refused", "1")
    assert found["difference"] == {"value": pytest.approx(-0.01), "ci95": None, "by": None}


def test_a_champion_that_cannot_be_tested_on_other_data_refuses(ask):
    ask(candidate({"0": 0.97}), auto_promote=True)

    found = ask(candidate({"0": 0.99}, "c" * 64, data="f" * 16))

    assert found["decision"] == "refused"
    assert "cannot be measured on this test data: its files cannot be read" in found["reasons"][0]


def test_a_model_that_was_rolled_back_is_not_promoted_by_itself_again(ask):
    ask(candidate({"0": 0.97}), auto_promote=True)
    ask(candidate({"0": 0.98}, "c" * 64), auto_promote=True)
    rollback(ask.model, ask.audit, "alert")

    found = ask(candidate({"0": 0.98}, "c" * 64), auto_promote=True)

    assert "it was rolled back before, so only `promote digits --version 2` makes it the champion" in found["reasons"]
    assert found["aliases"]["champion"] == "1"


def test_a_champion_that_changes_meanwhile_is_compared_with_anew(ask, monkeypatch):
    ask(candidate({"0": 0.5}), auto_promote=True)
    ask(candidate({"0": 0.99}, "c" * 64))
    made = entry.make_candidate

    def make_candidate(*arguments):
        monkeypatch.setattr(entry, "make_candidate", made)
        promote(ask.model, Audit(), "2", "by somebody else")
        return made(*arguments)

    monkeypatch.setattr(entry, "make_candidate", make_candidate)

    found = ask(candidate({"0": 0.9}, "d" * 64), auto_promote=True)

    assert (found["decision"], found["champion"]["version"]) == ("refused", "2")
    assert found["aliases"]["champion"] == "2"


def test_where_the_champion_changes_again_and_again_nobody_is_promoted(ask, monkeypatch):
    for digit in "bc":
        ask(candidate({"0": 0.5}, digit * 64))
    made, numbers = entry.make_candidate, iter(("1", "2", "1"))

    def make_candidate(*arguments):
        promote(ask.model, Audit(), next(numbers), "by somebody else")
        return made(*arguments)

    monkeypatch.setattr(entry, "make_candidate", make_candidate)

    found = ask(candidate({"0": 0.9}, "d" * 64), auto_promote=True)

    assert found["decision"] == "accepted"
    assert found["reasons"][-1].startswith("others change the champion again and again, so only `promote digits --ver")
    assert found["aliases"] == {"candidate": "3", "champion": "1", "previous_champion": "2"}


def test_a_model_that_was_watched_before_it_is_registered_says_so(ask):
    monitored = REGISTRATION.parent / "monitor/may/monitor.json"
    monitored.parent.mkdir(parents=True)
    seen = {
        "dataset": "may",
        "alert": True,
        "made": "2026-11-22",
        "record": {"inputs": {"bundle": {"sha256": "a" * 64}}},
    }
    write_json(monitored, {"format": 1, **seen})

    ask(candidate({"0": 0.98}))

    assert ask.model.version("1").tags["snaketorch.monitor.may"] == "alert"


def test_without_tracking_it_waits_and_sync_makes_up_for_it(ask, monkeypatch):
    monkeypatch.setenv("SNAKETORCH_TRACKING", "off")
    found = ask(candidate({"0": 0.98}))
    assert (found["decision"], found["version"]) == ("unregistered", None)
    assert found["reasons"] == [f"tracking is switched off; {register.LATER}"]
    assert later.waiting() == [REGISTRATION]

    (said,) = later.register_waiting()

    assert said == f"{REGISTRATION}: accepted: there is no champion to compare with"
    assert json.loads(REGISTRATION.read_text())["version"] == "1"
    assert list(later.register_waiting()) == []


def test_a_server_that_is_away_is_no_failure(ask, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    found = ask(candidate({"0": 0.98}))

    assert found["decision"] == "unregistered"
    assert "the registry cannot be used: no answer from http://127.0.0.1:9" in found["reasons"][0]
    assert "secret" not in REGISTRATION.read_text()


def test_a_registration_whose_files_are_gone_is_left_to_the_workflow(study):
    record = {"spec": {}, "paths": dict.fromkeys(("summary", "manifest", "bundle"), "gone"), "code_digest": ""}
    REGISTRATION.parent.mkdir(parents=True)
    write_json(REGISTRATION, {"format": 1, "decision": "unregistered", "record": record})

    (said,) = later.register_waiting()

    assert "is left to the next `snakemake`" in said
