"""What a sweep would try, without running it."""

from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from snaketorch.__main__ import main
from snaketorch.config.domains import Domain
from snaketorch.config.space import Space
from snaketorch.config.suggestions import Seeded


@pytest.fixture
def plan(tmp_path: Path, monkeypatch, capsys):
    """Gives what `tune-plan` says of a sweep of a small experiment."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config/experiments").mkdir(parents=True)
    (tmp_path / "config/datasets").mkdir()
    (tmp_path / "config/config.yaml").write_text("study: small\n")
    (tmp_path / "config/datasets/digits.yaml").write_text("source: {kind: sklearn, name: digits}\n")
    experiment = {
        "task": "image_classification",
        "data": "digits",
        "model": {"kind": "cnn"},
        "optimizer": {"kind": "adamw"},
        "trainer": {"max_epochs": 27},
        "seeds": [0, 1],
    }

    def said(name: str = "cnn", *arguments: str, **tune) -> list[str]:
        (tmp_path / "config/experiments/cnn.yaml").write_text(yaml.safe_dump(experiment | {"tune": tune or None}))
        code = main(["tune-plan", name, *arguments])
        assert code == 0
        return capsys.readouterr().out.splitlines()

    return said


LR = {"optimizer.lr": {"loguniform": [1e-4, 1e-1]}}


def test_a_random_search_is_listed(plan):
    lines = plan("cnn", "--trials", "2", num_samples=5, search_alg={"kind": "random"}, space=LR)

    space = Space(TypeAdapter(dict[str, Domain]).validate_python(LR), {})
    first = space.draw(Seeded(0, 0))["optimizer.lr"]
    assert lines[0] == "cnn: 5 trials by search_alg random, to maximise val/accuracy"
    assert lines[-3:] == [
        f"  0  optimizer.lr {first:.4g}",
        lines[-2],
        "  ... and 3 more (--trials)",
    ]


def test_a_random_search_of_a_small_space_lists_each_trial_once(plan):
    space = {"model.hidden": {"choice": [8, 16]}, "optimizer.lr": {"choice": [0.1, 0.2]}}

    lines = plan(num_samples=9, search_alg={"kind": "random"}, space=space)

    begin = lines.index("trials:") + 1
    assert len({line.split(maxsplit=1)[1] for line in lines[begin:-1]}) == len(lines[begin:-1]) == 4
    assert lines[-1] == "  ... and no more: the space has nothing new to try"


def test_a_grid_is_listed_as_a_whole(plan):
    space = {"optimizer.lr": {"grid": [0.1, 0.2]}, "model.hidden": {"choice": [8, 16]}}

    lines = plan(search_alg={"kind": "grid"}, space=space)

    assert lines[0].startswith("cnn: 4 trials by search_alg grid")
    assert lines[-4:] == [
        "  0  model.hidden 8, optimizer.lr 0.1",
        "  1  model.hidden 8, optimizer.lr 0.2",
        "  2  model.hidden 16, optimizer.lr 0.1",
        "  3  model.hidden 16, optimizer.lr 0.2",
    ]


def test_what_is_not_clear_before_is_not_listed(plan):
    lines = plan(num_samples=30, space=LR)

    assert lines[-1] == "trials: the first 10 at random, each of the others by what those before it came to"
    assert "  optimizer.lr  a number from 0.0001 to 0.1, by its logarithm" in lines


@pytest.mark.parametrize(
    ("scheduler", "words"),
    [
        ({"kind": "fifo"}, "  epochs: at most 243 (9 x 27)"),
        # 9 trials for 3 epochs, 3 of them to epoch 9, one to the end
        ({"kind": "asha", "grace_period": 3}, "  epochs: at most 243 (9 x 27); about 63 where asha ends as many as it"),
        ({"kind": "median"}, "  epochs: at most 243 (9 x 27); median may end trials early"),
        # whose trials go on from others' weights, all to the end
        ({"kind": "pbt"}, "  epochs: at most 243 (9 x 27)$"),
    ],
)
def test_the_epochs_have_an_upper_bound(plan, scheduler: dict, words: str):
    assert f"{plan(num_samples=9, scheduler=scheduler, space=LR)[1]}$".startswith(words)


@pytest.mark.parametrize(
    ("tune", "words"),
    [
        ({}, "  at once: 1 trial of 1 CPU"),
        ({"max_concurrent_trials": 3}, "  at once: 3 trials of 1 CPU"),
        ({"vectorise": True}, "  at once: as many as memory holds, side by side in one process"),
    ],
)
def test_a_plan_says_how_many_trials_run_at_one_time(plan, tune: dict, words: str):
    assert plan(num_samples=9, space=LR, **tune)[2] == words


@pytest.mark.parametrize(("seconds", "minutes"), [(15, "0.25"), (90, "1.5"), (3600, "60"), (7e5, "11667")])
def test_a_short_time_is_not_none(plan, seconds: float, minutes: str):
    said = f"  time: at most {minutes} minutes, of all attempts together"

    assert said in plan(num_samples=9, space=LR, time_budget_s=seconds)


@pytest.mark.parametrize("count", ["0", "-1", "some"])
def test_no_trials_cannot_be_listed(plan, count: str, capsys):
    with pytest.raises(SystemExit):
        plan("cnn", "--trials", count, num_samples=4, space=LR)

    assert f"argument --trials: '{count}' is not possible; allowed: a whole number above 0" in capsys.readouterr().err


def test_an_experiment_without_a_sweep_has_no_plan(plan, caplog):
    with pytest.raises(AssertionError):
        plan("cnn")

    assert "cnn has no sweep; allowed: none yet" in caplog.text
