"""A champion that new data puts in doubt goes back, once, and only where it is the one."""

import json
from pathlib import Path

import pytest

from snaketorch.config.specs import SettleSpec
from snaketorch.registry.automation import settle
from snaketorch.registry.promotion import promote


@pytest.fixture
def settled(study, model):
    """Settles version 3 with these alerts, by dataset, each a list of reasons."""

    def run(champion="3", decision="accepted", **alerts):
        entered = {"name": "digits", "version": "3", "decision": decision, "aliases": {"champion": champion}}
        Path("registration.json").write_text(json.dumps({"format": 1, **entered}))
        paths = [Path(name, "alert.json") for name in alerts]
        for path, reasons in zip(paths, alerts.values(), strict=True):
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps({"format": 1, "alert": bool(reasons), "reasons": reasons}))
        files = {"registration": Path("registration.json"), "settlement": Path("settlement.json")}
        found = settle(SettleSpec(experiment="digits_cnn"), **files, alerts=paths, code="c0de")
        assert json.loads(Path("settlement.json").read_text()) == found
        return found

    return run


def test_a_model_that_meets_data_like_its_own_stays(settled, model, audit):
    promote(model, audit, "1", "")
    promote(model, audit, "3", "")

    found = settled(april=[], may=[])

    assert (found["decision"], found["alerts"]) == ("kept", [])
    assert model.aliases["champion"] == "3"


def test_an_alert_brings_the_champion_before_back_and_says_why(settled, model, audit):
    promote(model, audit, "1", "")
    promote(model, audit, "3", "")

    found = settled(april=[], may=["psi of brightness is 1.4"])

    assert (found["decision"], found["alerts"]) == ("rolled back", ["may: psi of brightness is 1.4"])
    assert found["aliases"] == model.aliases == {"candidate": None, "champion": "1", "previous_champion": "3"}
    last = json.loads(audit.path.read_text().splitlines()[-1])
    assert (last["action"], last["reason"]) == ("rollback", "monitoring: may: psi of brightness is 1.4")


def test_a_second_alert_does_not_bring_the_worse_one_again(settled, model, audit):
    promote(model, audit, "1", "")
    promote(model, audit, "3", "")
    settled(may=["shifted"])

    found = settled(may=["shifted"])

    assert model.aliases["champion"] == "1"
    assert found["said"] == "version 3 of digits is not the champion any more"


def test_a_champion_of_somebody_else_is_left_alone(settled, model, audit):
    promote(model, audit, "1", "")
    promote(model, audit, "3", "")
    promote(model, audit, "2", "by hand")

    settled(may=["shifted"])

    assert model.aliases["champion"] == "2"


def test_the_first_champion_stays_for_there_is_none_before_it(settled, model, audit):
    promote(model, audit, "3", "")

    found = settled(may=["shifted"])

    assert found["decision"] == "alert"
    assert "no champion before version 3 of digits to go back to" in found["said"]
    assert model.aliases["champion"] == "3"


@pytest.mark.parametrize(("champion", "decision"), [("1", "refused"), (None, "unregistered")])
def test_what_was_not_promoted_is_not_taken_back(champion, decision, settled, model, audit):
    promote(model, audit, "2", "")
    promote(model, audit, "1", "")

    found = settled(champion=champion, decision=decision, may=["shifted"])

    assert found["decision"] == "not promoted"
    assert model.aliases["champion"] == "1"
