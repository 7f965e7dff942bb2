import importlib
import sys

import pytest
from sweep_parts import DOCUMENT, sweep_of, train

from snaketorch.config.space import Space
from snaketorch.errors import UserError
from snaketorch.tuning.ledger import Ledger
from snaketorch.tuning.proposals import Proposals
from snaketorch.tuning.search import build_search
from snaketorch.tuning.search.of_ray import _Answers, _Asked

SPACE = {
    "optimizer.lr": {"loguniform": [1e-4, 1e-1]},
    "model.dropout": {"quniform": [0.0, 0.5, 0.1]},
    "model.hidden": {"choice": [[16], [64], [8, 8]]},
    "data_loader.batch_size": {"qrandint": [32, 128, 32]},
    "model.embedding": {"lograndint": [4, 64]},
}
PACKAGES = {"hyperopt": "hyperopt", "bohb": "hpbandster"}
OPTIONS = {"hyperopt": {"n_initial_points": 3}, "bohb": {}}


def tried(folder, kind, kills=(), samples=8):
    """The values of a sweep whose process is killed, while a trial runs, after so many trials."""
    folder.mkdir()
    sweep = sweep_of(
        space=SPACE,
        num_samples=samples,
        search_alg={"kind": kind, "seed": 3, **OPTIONS[kind]},
        scheduler={"kind": "hyperband"},
    )
    done = 0
    for _ in range(len(kills) + 1):
        ledger = Ledger(folder)
        proposals = Proposals(ledger, build_search(sweep, Space(sweep.space, DOCUMENT)), samples)
        while trial := proposals.next():
            if done in kills and not trial.curve:
                train(ledger, trial, 0.25, status=None)
                break
            train(ledger, trial, 0.25, 1 - abs(trial.values["optimizer.lr"] - 0.01))
            proposals.search.learn(trial)
            done += 1
        ledger.close()
    return [trial.values for trial in ledger.all]


@pytest.mark.parametrize("kind", ["hyperopt", "bohb"])
def test_a_killed_sweep_tries_what_an_undisturbed_one_does(tmp_path, kind):
    pytest.importorskip(PACKAGES[kind])
    straight = tried(tmp_path / "a", kind)
    assert tried(tmp_path / "b", kind, kills=(2, 5)) == straight
    space = Space(sweep_of(space=SPACE).space, DOCUMENT)
    assert all(space.holds(values) for values in straight)
    assert len({str(values) for values in straight}) == 8


@pytest.mark.parametrize("kind", ["hyperopt", "bohb"])
def test_a_package_that_is_missing_is_said_with_the_command_that_installs_it(monkeypatch, kind):
    monkeypatch.setitem(sys.modules, PACKAGES[kind], None)
    sweep = sweep_of(search_alg={"kind": kind}, scheduler={"kind": "hyperband"})
    with pytest.raises(
        UserError, match=rf"{PACKAGES[kind]} is not installed; install it with `python -m pip install {PACKAGES[kind]}"
    ):
        build_search(sweep, Space(sweep.space, DOCUMENT))


def test_searches_of_ray_do_not_import_it_before_its_environment_is_set():
    assert "ray" not in vars(importlib.import_module("snaketorch.tuning.search.of_ray"))


@pytest.mark.parametrize("end", ["low", "high"])
def test_both_ends_of_a_range_are_the_same_for_ray(end):
    asked = _Asked()
    space = Space(sweep_of(space=SPACE).space, DOCUMENT)
    space.draw(asked)
    found = {}
    for path, scale in asked.scales.items():
        if scale.word == "choice":
            found[path] = scale.domain.categories[0 if end == "low" else -1]
        else:
            # the upper bound of its whole numbers is not one of them
            whole = scale.word in ("randint", "lograndint")
            found[path] = scale.domain.lower if end == "low" else scale.domain.upper - whole
    values = space.draw(_Answers(found, asked.scales))
    assert space.holds(values)
    assert {path: scale.of(values[path]) for path, scale in asked.scales.items()} == pytest.approx(found, rel=1e-9)
    exact = {path: value for path, value in values.items() if path != "optimizer.lr"}
    assert (
        exact
        == {
            "low": {
                "model.dropout": 0.0,
                "model.hidden": [16],
                "data_loader.batch_size": 32,
                "model.embedding": 4,
            },
            "high": {
                "model.dropout": 0.5,
                "model.hidden": [8, 8],
                "data_loader.batch_size": 128,
                "model.embedding": 63,
            },
        }[end]
    )
