import pytest
from sweep_parts import space_of, sweep_of, train

from snaketorch.tuning.ledger import Ledger
from snaketorch.tuning.proposals import Proposals
from snaketorch.tuning.search import build_search

FINITE = {"model.dropout": {"choice": [0.0, 0.5]}, "data_loader.batch_size": {"grid": [32, 64, 128]}}


def proposals_of(folder, kind, **keys):
    folder.mkdir(exist_ok=True)
    sweep = sweep_of(kind, **keys)
    ledger = Ledger(folder)
    return Proposals(ledger, build_search(sweep, space_of(sweep)), sweep.num_samples), ledger


def tried(folder, kind, kills=(), **keys):
    """The values of a sweep whose process is killed, while a trial runs, after so many trials."""
    done = 0
    for _ in range(len(kills) + 1):
        proposals, ledger = proposals_of(folder, kind, **keys)
        while trial := proposals.next():
            if done in kills and not trial.curve:
                train(ledger, trial, 0.25, status=None)
                break
            rate = trial.values.get("optimizer.lr", 0.01)
            train(ledger, trial, 0.25, 1 - abs(rate - 0.01))
            proposals.search.learn(trial)
            done += 1
        ledger.close()
    return [trial.values for trial in ledger.all]


@pytest.mark.parametrize("kind", ["random", "optuna"])
def test_a_killed_sweep_tries_what_an_undisturbed_one_does(tmp_path, kind):
    search = {"search_alg": {"kind": kind, "seed": 3, **({"n_startup_trials": 2} if kind == "optuna" else {})}}
    straight = tried(tmp_path / "a", kind, num_samples=9, **search)
    assert tried(tmp_path / "b", kind, kills=(2, 5), num_samples=9, **search) == straight
    assert len({str(values) for values in straight}) == 9


@pytest.mark.parametrize("kind", ["random", "optuna"])
def test_more_samples_continue_a_sweep(tmp_path, kind):
    few = tried(tmp_path / "a", kind, num_samples=4)
    more = tried(tmp_path / "a", kind, num_samples=7)
    assert more == tried(tmp_path / "b", kind, num_samples=7)
    assert more[:4] == few


def test_a_grid_is_tried_whole_and_once(tmp_path):
    values = tried(tmp_path, "grid", space=FINITE, num_samples=None)
    assert len(values) == len({str(one) for one in values}) == 6
    assert tried(tmp_path, "grid", space=FINITE, num_samples=None) == values


def test_a_grid_that_grew_continues(tmp_path):
    tried(tmp_path, "grid", space=FINITE, num_samples=2)
    values = tried(tmp_path, "grid", space=FINITE, num_samples=None)
    assert len({str(one) for one in values}) == len(values) == 6


def test_a_grid_that_was_killed_late_is_tried_to_its_end(tmp_path):
    many = {"data_loader.batch_size": {"choice": list(range(1, 51))}}

    values = tried(tmp_path, "grid", kills=(30, 45), space=many, num_samples=None)

    assert [one["data_loader.batch_size"] for one in values] == list(range(1, 51))


@pytest.mark.parametrize("kind", ["random", "optuna"])
def test_no_configuration_is_tried_twice(tmp_path, kind, caplog):
    caplog.set_level("INFO")
    choices = {"model.dropout": {"choice": [0.0, 0.25, 0.5]}}
    values = tried(tmp_path, kind, space=choices, num_samples=9)
    assert sorted(one["model.dropout"] for one in values) == [0.0, 0.25, 0.5]
    assert "nothing new left to try" in caplog.text


def test_what_was_begun_goes_on_first(tmp_path):
    proposals, ledger = proposals_of(tmp_path, "random")
    begun = [proposals.next() for _ in range(3)]
    train(ledger, begun[1], 0.5)
    ledger.close()
    again, ledger = proposals_of(tmp_path, "random")
    assert [again.next().number for _ in range(3)] == [0, 2, 3]
    ledger.close()


def test_tpe_goes_where_trials_did_well(tmp_path):
    search = {"search_alg": {"kind": "optuna", "seed": 0, "n_startup_trials": 8}}
    values = tried(tmp_path, "optuna", num_samples=40, space={"optimizer.lr": {"uniform": [0.0, 1.0]}}, **search)
    rates = [one["optimizer.lr"] for one in values]
    far = [abs(rate - 0.01) for rate in rates]
    assert sum(far[-10:]) < 0.5 * sum(far[:10])


def test_tpe_remembers_conditional_and_dependent_values(tmp_path):
    space = {
        "optimizer.kind": {"choice": ["sgd", "adamw"]},
        "optimizer.momentum": {"uniform": [0.8, 0.99], "when": {"optimizer.kind": "sgd"}},
        "model.dropout": {"quniform": [0.0, 0.5, 0.1]},
        "model.embedding": {"lograndint": [4, 64]},
    }
    straight = tried(tmp_path / "a", "optuna", space=space, num_samples=12)
    assert tried(tmp_path / "b", "optuna", kills=(3, 11), space=space, num_samples=12) == straight
    assert {"optimizer.momentum" in one for one in straight} == {True, False}
    assert all(("optimizer.momentum" in one) == (one["optimizer.kind"] == "sgd") for one in straight)


@pytest.mark.parametrize("steps", [[0.1, 0.3, 0.1], [0.7, 2.1, 0.7]])
def test_optuna_knows_every_multiple_of_a_step_whoever_drew_it(tmp_path, steps):
    space = {"model.dropout": {"quniform": steps}}
    drawn = tried(tmp_path / "a", "random", space=space, num_samples=3)
    assert tried(tmp_path / "a", "optuna", space=space, num_samples=3) == drawn
    found = tried(tmp_path / "b", "optuna", space=space, num_samples=3)
    assert sorted(one["model.dropout"] for one in found) == sorted(one["model.dropout"] for one in drawn)
