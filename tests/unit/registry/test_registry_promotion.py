"""Champions: promoted, taken back, and written down."""

import json

import pytest
from mlflow.entities.model_registry.model_version_search import ModelVersionSearch
from mlflow.store.entities.paged_list import PagedList

from snaketorch.errors import UserError
from snaketorch.registry.aliases import AUDIT_TAG
from snaketorch.registry.listing import listing
from snaketorch.registry.promotion import make_candidate, promote, put_in_stage, rollback


def aliases(candidate=None, champion=None, previous=None):
    return {"candidate": candidate, "champion": champion, "previous_champion": previous}


def test_the_candidate_becomes_the_champion(model, audit):
    make_candidate(model, audit, "2", "the gate is passed")

    said, moved = promote(model, audit, None, "looks good")

    assert said == "version 2 of digits is the champion"
    assert model.aliases == moved.aliases == aliases("2", "2")


def test_the_champion_before_can_be_found_and_gone_back_to(model, audit):
    promote(model, audit, "1", "")
    said, _ = promote(model, audit, "3", "better")
    assert (said, model.aliases) == (
        "version 3 of digits is the champion, version 1 was it before",
        aliases(None, "3", "1"),
    )

    said, _ = rollback(model, audit, "alert")

    assert said == "version 1 of digits is the champion again, version 3 is not"
    assert model.aliases == aliases(None, "1", "3")


def test_the_same_promotion_twice_is_one(model, audit):
    promote(model, audit, "1", "")
    written = audit.path.read_text()

    said, moved = promote(model, audit, "1", "once more")

    assert said == "version 1 of digits is the champion already"
    assert moved.entry is None
    assert audit.path.read_text() == written


def test_going_back_twice_does_not_bring_the_bad_version_again(model, audit):
    promote(model, audit, "1", "")
    promote(model, audit, "2", "")
    rollback(model, audit, "alert")
    written = audit.path.read_text()

    said, _ = rollback(model, audit, "alert")

    back = "`promote digits --version 2` would make it the champion again"
    assert said == f"digits was rolled back already, from version 2 to 1; {back}"
    assert (model.aliases, audit.path.read_text()) == (aliases(None, "1", "2"), written)
    promote(model, audit, "2", "it was the data")
    rollback(model, audit, "it was not")
    assert model.aliases == aliases(None, "1", "2")


def test_a_candidate_that_was_rolled_back_is_promoted_by_its_number_only(model, audit):
    promote(model, audit, "1", "")
    make_candidate(model, audit, "2", "the gate is passed")
    promote(model, audit, None, "")
    rollback(model, audit, "alert")

    with pytest.raises(UserError, match=r"version 2 of 'digits', the candidate, was rolled back; .*: --version 2"):
        promote(model, audit, None, "once more")
    assert model.aliases == aliases("2", "1", "2")
    promote(model, audit, "2", "it was the data")

    assert model.aliases == aliases("2", "2", "1")


def test_a_refused_version_is_promoted_with_a_reason_only(model, audit):
    model.tag("2", "snaketorch.gate", "refused")
    model.tag("2", "snaketorch.gate_reasons", "test/accuracy 0.5 is below 0.97")

    with pytest.raises(UserError, match=r"refused version 2 of 'digits' \(test/accuracy 0.5 is below 0.97\).*--reason"):
        promote(model, audit, "2", "")
    promote(model, audit, "2", "a demonstration")

    assert model.aliases["champion"] == "2"


def test_a_refused_version_is_staged_with_a_reason_only(model, audit):
    model.tag("2", "snaketorch.gate", "refused")

    with pytest.raises(UserError, match=r"refused version 2 of 'digits'.*--reason"):
        put_in_stage(model, audit, "Staging", "2", "")
    put_in_stage(model, audit, "Staging", "2", "to look at it")

    assert model.aliases == aliases("2")


def test_a_number_with_zeros_before_it_is_the_same_version(model, audit):
    promote(model, audit, "1", "")

    promote(model, audit, "01", "")
    put_in_stage(model, audit, "Staging", "02", "")
    put_in_stage(model, audit, "Archived", "002", "")

    assert model.aliases == aliases(None, "1")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model, audit: promote(model, audit, None, ""), "'digits' has no candidate; say which version"),
        (lambda model, audit: promote(model, audit, "9", ""), "'digits' has no version 9; allowed: 1, 2, 3"),
        (lambda model, audit: promote(model, audit, "abc", ""), "'digits' has no version abc; allowed: 1, 2, 3"),
        (lambda model, audit: promote(model, audit, "9" * 20, ""), "'digits' has no version 9{20}; allowed: 1, 2, 3"),
        (lambda model, audit: rollback(model, audit, ""), "'digits' has no champion"),
        (lambda model, audit: put_in_stage(model, audit, "Staging", None, ""), "say which: --version N"),
    ],
)
def test_what_cannot_be_done_is_said(call, message, model, audit):
    with pytest.raises(UserError, match=message):
        call(model, audit)

    assert model.aliases == aliases()
    assert not audit.path.exists()


def test_a_champion_without_a_predecessor_stays(model, audit):
    promote(model, audit, "1", "")

    with pytest.raises(UserError, match="no previous champion"):
        rollback(model, audit, "")


def test_the_old_stages_are_aliases(model, audit):
    put_in_stage(model, audit, "Staging", "1", "")
    put_in_stage(model, audit, "Production", None, "")
    put_in_stage(model, audit, "Staging", "2", "")
    assert model.aliases == aliases("2", "1")

    said, _ = put_in_stage(model, audit, "Archived", "2", "")

    assert (said, model.aliases) == ("version 2 of digits has no alias", aliases(None, "1"))
    put_in_stage(model, audit, "None", "2", "")
    with pytest.raises(UserError, match="version 1 of 'digits' is the champion"):
        put_in_stage(model, audit, "Archived", "1", "")


def test_every_move_is_written_down_before_and_after_and_at_its_version(model, audit, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    promote(model, audit, "1", "")

    promote(model, audit, "2", "better on Mondays")

    begun, done = audit.entries()[-2:]
    assert (begun.state, done.state, begun.id == done.id) == ("begun", "done", True)
    assert done.who.startswith("ada@")
    assert (done.action, done.version, done.reason) == ("promote", "2", "better on Mondays")
    assert done.run == "digits_cnn/seed-2/abc"
    assert (done.before, done.after) == (aliases(None, "1"), aliases(None, "2", "1"))
    (tag,) = [text for name, text in model.version("2").tags.items() if name.startswith(AUDIT_TAG)]
    assert json.loads(tag)["state"] == "done"
    assert json.loads(tag)["reason"] == "better on Mondays"


def test_where_the_champion_was_deleted_the_one_before_takes_its_place(model, audit):
    promote(model, audit, "1", "")
    promote(model, audit, "2", "")
    model.client.delete_model_version("digits", "2")

    with pytest.raises(UserError, match="'digits' has no champion; `promote digits --version 1`"):
        rollback(model, audit, "")
    said, _ = promote(model, audit, "1", "")

    assert (said, model.aliases) == ("version 1 of digits is the champion", aliases(None, "1"))


def test_lines_that_somebody_wrote_into_the_audit_are_passed_over(model, audit):
    promote(model, audit, "1", "")
    with audit.path.open("a") as file:
        file.write('no JSON\n[1]\n{"format": 1, "id": "12"}\n{"format": 2}\n')

    promote(model, audit, "2", "")

    assert [entry.state for entry in audit.entries()] == ["begun", "done", "begun", "done"]


def test_a_line_that_a_kill_cut_off_spoils_no_other(model, audit):
    promote(model, audit, "1", "")
    with audit.path.open("a") as file:
        file.write('{"format": 1, "id": "12')

    promote(model, audit, "2", "")

    assert [entry.state for entry in audit.entries()] == ["begun", "done", "begun", "done"]


def test_line_ends_of_other_writings_and_half_a_letter_spoil_no_other_line(model, audit):
    promote(model, audit, "1", "one\u2028two\x85three")
    with audit.path.open("ab") as file:
        file.write('{"format": 1, "who": "J\u00f6'.encode()[:-1])

    promote(model, audit, "2", "")

    assert [entry.state for entry in audit.entries()] == ["begun", "done", "begun", "done"]
    assert audit.entries()[1].reason == "one\u2028two\x85three"


def test_a_reason_of_any_length_is_whole_in_the_file_and_readable_at_the_version(model, audit):
    reason = 'said "again" and \n again, ' * 500
    promote(model, audit, "2", reason)
    model.tag("2", f"{AUDIT_TAG}of another", '{"cut off": "')

    (found,) = json.loads(listing(model.client, model.registry, "digits", as_json=True))["models"]

    assert audit.entries()[-1].reason == reason
    (line,) = found["versions"][1]["audit"]
    assert (line["action"], line["state"]) == ("promote", "done")
    assert len(line["reason"]) > 1000
    assert reason.startswith(line["reason"].removesuffix(" …"))
    assert [told.champion for told in model.moves().values()] == ["2"]


def test_versions_of_unity_catalog_are_asked_for_one_by_one(model, audit, monkeypatch):
    """A search there gives versions without their tags."""
    search = model.client.search_model_versions

    def of_unity_catalog(*arguments, **options):
        found = search(*arguments, **options)
        there = [ModelVersionSearch(each.name, each.version, each.creation_timestamp) for each in found]
        return PagedList(there, found.token)

    monkeypatch.setattr(model.client, "search_model_versions", of_unity_catalog)

    promote(model, audit, "1", "")
    promote(model, audit, "3", "better")
    rollback(model, audit, "worse")

    assert model.aliases == aliases(None, "1", "3")
    assert model.versions[0].tags["snaketorch.run_key"] == "digits_cnn/seed-3/abc"


def test_versions_are_listed_with_where_they_come_from(model, audit):
    for name, value in {
        "experiment": "digits_cnn",
        "seed": "2",
        "data": "digits",
        "data_digest": "0123456789abcdef",
    }.items():
        model.tag("2", f"snaketorch.{name}", value)
    for name, value in {"metric": "test/accuracy", "value": "0.98", "gate": "accepted"}.items():
        model.tag("2", f"snaketorch.{name}", value)
    promote(model, audit, "2", "")

    text = listing(model.client, model.registry, None, as_json=False)
    (found,) = json.loads(listing(model.client, model.registry, "digits", as_json=True))["models"]

    lines = text.splitlines()
    assert lines[0] == "digits"
    assert lines[1].split() == ["version", "aliases", "gate", "metric", "from", "data", "registered"]
    assert "2        champion  accepted  test/accuracy 0.98  digits_cnn, seed 2  digits 01234567" in lines[3]
    assert found["aliases"] == aliases(None, "2")
    assert [version["version"] for version in found["versions"]] == ["3", "2", "1"]
    assert found["versions"][1]["lineage"]["run_key"] == "digits_cnn/seed-2/abc"
    assert found["versions"][1]["audit"][0]["action"] == "promote"


def test_a_model_that_is_not_there_is_named(model):
    with pytest.raises(UserError, match=r"there is no registered model 'digitss' .* there are: digits"):
        listing(model.client, model.registry, "digitss", as_json=False)


def test_the_audit_of_a_version_is_in_the_order_of_time(model, audit):
    promote(model, audit, "1", "")
    for number in range(4):
        promote(model, audit, "2", f"{number}")
        rollback(model, audit, f"{number}")

    (found,) = json.loads(listing(model.client, model.registry, "digits", as_json=True))["models"]

    of_second = found["versions"][1]["audit"]
    assert [(line["action"], line["reason"]) for line in of_second] == [
        (action, f"{number}") for number in range(4) for action in ("promote", "rollback")
    ]


@pytest.mark.parametrize("name", ["o'brien", 'say "yes"', "both ' and \"", "Ünïcöde 数字"])
def test_a_model_that_others_registered_under_an_odd_name_is_listed_too(name, model):
    model.client.create_registered_model(name)
    model.client.create_model_version(name, model.versions[0].source)

    text = listing(model.client, model.registry, None, as_json=False)
    (found,) = json.loads(listing(model.client, model.registry, name, as_json=True))["models"]

    assert {"digits", name} <= set(text.splitlines())
    assert [version["version"] for version in found["versions"]] == ["1"]
