"""The commands of sweeps, and how a training is told the best values."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from snaketorch import __main__ as command_line
from snaketorch import layout
from snaketorch.commands import train, tune_plan
from snaketorch.config.load import load_study
from snaketorch.dag.workflow import Workflow

ASKED = SimpleNamespace(experiment="swept", seed=0)


@pytest.fixture
def workflow(repo: Path, tmp_path: Path, monkeypatch) -> Workflow:
    """Of a study with a sweep, in the current folder."""
    for part in ("config.yaml", "datasets/digits.yaml", "experiments/digits_cnn.yaml"):
        path = tmp_path / "config" / part
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((repo / "config" / part).read_text())
    swept = {
        "extends": "digits_cnn",
        "tune": {"num_samples": 4, "space": {"optimizer.lr": {"loguniform": [1e-4, 1e-1]}}},
    }
    (tmp_path / "config/experiments/swept.yaml").write_text(yaml.safe_dump(swept))
    monkeypatch.chdir(tmp_path)
    return Workflow(load_study(tmp_path))


def arguments(*names: str) -> list[str]:
    return [word for name in names for word in (f"--{name}", f"{name}.out")]


@pytest.fixture
def best(tmp_path: Path) -> Path:
    path = tmp_path / "best.yaml"
    content = {"format": 1, "experiment": "swept", "trial": 7, "values": {"optimizer.lr": 0.05}}
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_training_is_told_the_best_values(workflow, best, monkeypatch):
    told = []
    monkeypatch.setattr(train, "_train", lambda spec, *_: told.append(spec))
    files = arguments("manifest", "state", "model", "history", "record", "samples")
    spec = workflow.train_spec(ASKED)

    assert command_line.main(["train", "--spec", spec, *files, "--best", str(best)]) == 0
    assert command_line.main(["train", "--spec", spec, *files, "--best"]) == 0

    assert [spec.optimizer.lr for spec in told] == [0.05, json.loads(spec)["optimizer"]["lr"]]


def test_best_values_of_another_experiment_are_refused(workflow, best, caplog):
    best.write_text(best.read_text().replace("swept", "digits_cnn"))
    files = arguments("manifest", "state", "model", "history", "record", "samples")

    code = command_line.main(["train", "--spec", workflow.train_spec(ASKED), *files, "--best", str(best)])

    assert code == 1
    assert "the best values are of digits_cnn, and swept is to be trained" in caplog.text


def test_a_sweep_is_told_what_it_may_take(workflow, monkeypatch):
    told = {}
    monkeypatch.setattr("snaketorch.tuning.tune.tune", lambda spec, **options: told.update(options, spec=spec))
    files = arguments("manifest", "best", "trials", "curves", "sweep", "figures")
    room = ["--threads", "4", "--cpu-per-trial", "0.5", "--max-concurrent", "0", "--num-nodes", "2"]
    state = layout.TUNE_STATE.format(experiment="swept")

    code = command_line.main(["tune", "--spec", workflow.tune_spec(ASKED), "--state", state, *files, *room])

    assert code == 0
    assert (told["spec"].experiment, told["state_root"]) == ("swept", Path(state))
    assert (told["room"].cpus, told["room"].cpu, told["room"].max_concurrent, told["room"].num_nodes) == (
        4,
        0.5,
        None,
        2,
    )
    assert told["files"].best == Path("best.out")


def test_a_plan_is_of_an_experiment_with_a_sweep(workflow):
    assert tune_plan.plan_of("swept", 1).startswith("swept: 4 trials by search_alg optuna")
    with pytest.raises(tune_plan.UserError, match=r"there is no experiment 'swep'; allowed: swept; did you mean"):
        tune_plan.plan_of("swep", 1)
