"""The decision of a gate."""

import pytest

from snaketorch.config.register import Gate
from snaketorch.registry.comparison import Difference
from snaketorch.registry.gate import Opponent, decide


def gate(**keys) -> Gate:
    return Gate(metric="test/accuracy", **keys)


def against(difference: float | None, **keys) -> Opponent:
    found = (
        None if difference is None else Difference(difference, (difference - 0.01, difference + 0.01), "seeds, paired")
    )
    return Opponent("4", 0.9, found, **keys)


@pytest.mark.parametrize(("value", "decision"), [(0.97, "accepted"), (0.9699, "refused"), (None, "refused")])
def test_a_least_value_is_asked_for(value, decision):
    assert decide(gate(min=0.97), "max", value, None).decision == decision


@pytest.mark.parametrize(("value", "decision"), [(0.999, "accepted"), (1.0, "refused")])
def test_a_most_value_is_asked_for(value, decision):
    assert decide(gate(max=0.999), "max", value, None).decision == decision


@pytest.mark.parametrize(
    ("mode", "difference", "margin", "decision"),
    [
        ("max", 0.0, 0.0, "accepted"),
        ("max", 0.01, 0.0, "accepted"),
        ("max", -0.001, 0.0, "refused"),
        ("max", -0.002, 0.002, "accepted"),
        ("max", -0.0021, 0.002, "refused"),
        ("min", 0.001, 0.0, "refused"),
        ("min", -0.001, 0.0, "accepted"),
        ("min", 0.002, 0.002, "accepted"),
    ],
)
def test_a_candidate_may_be_worse_by_the_margin(mode, difference, margin, decision):
    assert decide(gate(margin=margin), mode, 0.9, against(difference)).decision == decision


def test_the_first_model_has_nobody_to_compare_with():
    verdict = decide(gate(), "max", 0.1, None)

    assert (verdict.decision, verdict.reasons) == ("accepted", ["there is no champion to compare with"])


def test_the_champion_itself_passes_again():
    assert decide(gate(), "max", 0.9, against(None, is_candidate=True)).decision == "accepted"


def test_a_champion_that_cannot_be_measured_refuses_and_says_the_way_out():
    verdict = decide(gate(), "max", 0.99, against(None, why_not="it was trained on data with other classes"))

    assert verdict.decision == "refused"
    assert "other classes; a gate with not_worse_than: null does without" in verdict.reasons[0]
    assert decide(gate(not_worse_than=None), "max", 0.99, against(None)).decision == "accepted"


def test_every_condition_says_its_numbers():
    verdict = decide(gate(min=0.97, margin=0.002), "max", 0.95, against(-0.001))

    assert verdict.decision == "refused"
    assert verdict.reasons == [
        "test/accuracy 0.95 is below 0.97",
        "test/accuracy is not worse by more than 0.002 than that of the champion, version 4: -0.001 "
        "(95 % interval -0.011 to +0.009, over seeds, paired)",
    ]
