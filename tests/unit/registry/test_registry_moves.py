"""Promotions that meet each other, and those that are killed."""

import multiprocessing
import os
import signal

import pytest

from snaketorch.registry.aliases import Model
from snaketorch.registry.audit import Audit
from snaketorch.registry.moves import heal, turn
from snaketorch.registry.promotion import promote, rollback
from snaketorch.tracking.store import connect

FORK = multiprocessing.get_context("fork")  # MLflow is imported already


def in_child(work, *arguments) -> "multiprocessing.Process":
    process = FORK.Process(target=work, args=arguments)
    process.start()
    return process


def promote_when_all_are_ready(uri: str, audit: Audit, version: str, ready) -> None:
    model = Model(connect(uri), "digits", uri)
    ready.wait(300)
    promote(model, audit, version, f"of process {version}")


def killed_at(uri: str, audit: Audit, move, call: int) -> None:
    """Ends like a machine that loses its power, before the alias of that number is moved."""
    count = 0
    moved = Model.set

    def move_or_die(self, alias, version):
        nonlocal count
        count += 1
        if count == call:
            os.kill(os.getpid(), signal.SIGKILL)
        moved(self, alias, version)

    Model.set = move_or_die
    model = Model(connect(uri), "digits", uri)
    move(model, audit)
    Model.note = lambda *_: os.kill(os.getpid(), signal.SIGKILL)


def killed(model: Model, audit: Audit, move, call: int) -> None:
    process = in_child(killed_at, model.registry, audit, move, call)
    process.join(300)
    assert process.exitcode == -signal.SIGKILL


def healed(model: Model, audit: Audit) -> list:
    with turn(audit, model.registry):
        return heal(model, audit)


def test_of_two_promotions_at_once_one_wins_and_none_is_lost(model, audit):
    promote(model, audit, "1", "")
    ready = FORK.Barrier(2)

    processes = [in_child(promote_when_all_are_ready, model.registry, audit, version, ready) for version in "23"]
    for process in processes:
        process.join(300)

    assert [process.exitcode for process in processes] == [0, 0]
    found = model.aliases
    assert {found["champion"], found["previous_champion"]} == {"2", "3"}
    entries = audit.entries()[2:]
    assert [entry.state for entry in entries] == ["begun", "done", "begun", "done"], "they took turns"
    assert {entry.version for entry in entries} == {"2", "3"}
    assert entries[-1].version == found["champion"]
    assert entries[-1].before["champion"] == found["previous_champion"]


@pytest.mark.parametrize(
    ("call", "state", "champion", "previous"),
    [(1, "undone", "2", "1"), (2, "undone", "2", "1")],
    ids=["before anything is moved", "before the champion is"],
)
def test_a_promotion_that_is_killed_before_it_counts_never_was(call, state, champion, previous, model, audit):
    promote(model, audit, "1", "")
    promote(model, audit, "2", "")
    killed(model, audit, lambda model, audit: promote(model, audit, "3", "bad luck"), call)

    (entry,) = healed(model, audit)

    assert (entry.state, entry.healed, entry.reason) == (state, True, "bad luck")
    assert (model.aliases["champion"], model.aliases["previous_champion"]) == (champion, previous)
    assert audit.entries()[-1] == entry
    assert healed(model, audit) == []


def test_a_promotion_that_is_killed_after_it_counts_is_finished_by_the_next_command(model, audit):
    promote(model, audit, "1", "")
    killed(model, audit, lambda model, audit: rollback_after(model, audit), 4)

    promote(model, audit, "3", "the next command")

    states = [(entry.action, entry.version, entry.state, entry.healed) for entry in audit.entries()]
    assert states[-4:] == [
        ("rollback", "2", "begun", False),
        ("rollback", "2", "done", True),
        ("promote", "3", "begun", False),
        ("promote", "3", "done", False),
    ]
    assert (model.aliases["champion"], model.aliases["previous_champion"]) == ("3", "1")
    assert "snaketorch.rolled_back" in model.version("2").tags


def rollback_after(model: Model, audit: Audit) -> None:
    """Moves two aliases, then two, of which the last one is never moved."""
    promote(model, audit, "2", "")
    rollback(model, audit, "")


def test_what_another_has_moved_since_is_left_as_it_is(model, audit):
    promote(model, audit, "1", "")
    killed(model, audit, lambda model, audit: promote(model, audit, "2", ""), 2)
    model.set("champion", "3")  # by somebody elsewhere
    model.set("previous_champion", "1")

    (entry,) = healed(model, audit)

    assert entry.state == "overtaken"
    assert (model.aliases["champion"], model.aliases["previous_champion"]) == ("3", "1")


def test_a_model_that_was_deleted_meanwhile_is_no_trouble(model, audit):
    killed(model, audit, lambda model, audit: promote(model, audit, "2", ""), 1)
    model.client.delete_registered_model("digits")

    assert [entry.state for entry in healed(model, audit)] == ["undone"]
    assert healed(model, audit) == []


@pytest.mark.parametrize("moment", range(1, 7))
def test_without_a_common_lock_the_one_that_wins_finds_the_other(moment, model, study, monkeypatch):
    """On a server: another folder's promotion happens as a whole between any two requests of ours."""
    promote(model, Audit(study / "first.jsonl"), "1", "")
    ours, theirs = Audit(study / "ours.jsonl"), Audit(study / "theirs.jsonl")
    monkeypatch.setattr("snaketorch.registry.moves.sqlite_file", lambda uri: None)
    requests = 0
    is_inside = False

    def counted(function):
        def call(self, *arguments):
            nonlocal requests, is_inside
            if not is_inside:
                requests += 1
                if requests == moment:
                    is_inside = True
                    promote(model, theirs, "3", "at the same moment")
                    is_inside = False
            return function(self, *arguments)

        return call

    for name in ("set", "note", "moves"):
        monkeypatch.setattr(Model, name, counted(getattr(Model, name)))

    promote(model, ours, "2", "ours")

    assert requests >= moment, "the other came in between"
    found = (model.aliases["champion"], model.aliases["previous_champion"])
    assert found in {("2", "3"), ("3", "2")}
    assert [audit.entries()[-1].state for audit in (ours, theirs)] in (["done", "done"], ["overtaken", "done"])
