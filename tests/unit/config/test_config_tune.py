"""A sweep of an experiment: what is written out, what it is compared with, and what it may train."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snaketorch.config.best import Best
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.load import Study, load_study
from snaketorch.config.problems import ConfigError
from snaketorch.config.space import Space
from snaketorch.config.specs import TrainSpec, TuneSpec
from snaketorch.config.suggestions import Seeded
from snaketorch.config.variants import variants
from snaketorch.errors import UserError

SWEEP = {"num_samples": 8, "space": {"optimizer.lr": {"loguniform": [1e-4, 1e-1]}}}

GRID = {"kind": "grid"}
RATES_AND_SIZES = {
    "optimizer.lr": {"quniform": [0.1, 0.3, 0.1]},
    "data_loader.batch_size": {"randint": [8, 10]},
    "model.hidden": {"choice": [8, 16]},
}


@pytest.fixture
def swept(study: Path):
    """Reads the study with a sweep in the experiment `cnn`, and perhaps other keys."""

    def read(tune: dict[str, Any] | None = None, run: str = "*", **keys: Any) -> Study:
        file = study / "config/experiments/cnn.yaml"
        content = yaml.safe_load(file.read_text()) | {"tune": SWEEP | (tune or {})} | keys
        file.write_text(yaml.safe_dump(content))
        (study / "config/config.yaml").write_text(f"study: small\nrun: ['{run}']\n")
        return load_study(study)

    return read


def test_what_depends_on_the_experiment_is_written_out(swept):
    tune = swept(trainer={"max_epochs": 30}, seeds=[7, 8]).experiments["cnn"].tune

    assert (tune.metric, tune.mode, tune.seed, tune.scheduler.grace_period) == ("val/accuracy", "max", 7, 3)
    assert tune.resources_per_trial.gpu == 0


def test_the_direction_is_that_of_the_metric(swept):
    assert swept({"metric": "val/loss"}).experiments["cnn"].tune.mode == "min"


def test_a_population_is_not_compared_between_validations(swept):
    population = {"scheduler": {"kind": "pbt", "perturbation_interval": 3}}
    with pytest.raises(ConfigError, match=r"3 ends where there is no validation; allowed: multiples of .*epoch \(2\)"):
        swept(population, trainer={"max_epochs": 8, "check_val_every_n_epoch": 2})


@pytest.mark.parametrize(
    ("tune", "cpus", "hours"),
    [
        ({}, 1, 4.0),
        ({"max_concurrent_trials": 4}, 4, 1.0),
        ({"max_concurrent_trials": 4, "resources_per_trial": {"cpu": 0.5}}, 2, 1.0),
        ({"max_concurrent_trials": 4, "num_nodes": 2}, 2, 1.0),
        ({"search_alg": GRID, "num_samples": None, "space": RATES_AND_SIZES, "max_concurrent_trials": 4}, 4, 1.5),
        ({"search_alg": GRID, "num_samples": 4, "space": RATES_AND_SIZES}, 1, 2.0),
        ({"search_alg": GRID, "num_samples": 99, "space": RATES_AND_SIZES}, 1, 6.0),
        ({"time_budget_s": 7200}, 1, 2.25),
        ({"resources": {"cpus": 3, "hours": 5}}, 3, 5.0),
    ],
    ids=str,
)
def test_the_job_has_room_and_time_for_its_trials(swept, tune: dict, cpus: int, hours: float):
    resources = swept(tune, resources={"hours": 0.5}).experiments["cnn"].tune.resources

    assert (resources.cpus, resources.hours) == (cpus, hours)


@pytest.mark.parametrize(
    "space",
    [
        {"optimizer.lr": {"qloguniform": [0.1, 0.5, 0.1]}},
        {"data_loader.batch_size": {"qlograndint": [50, 400, 50]}},
    ],
)
def test_a_grid_has_a_list_of_values_for_each_key(swept, space: dict):
    with pytest.raises(ConfigError, match="has no list of values for a grid; allowed: grid, choice, randint"):
        swept({"search_alg": GRID, "num_samples": None, "space": space})


def test_trials_have_a_gpu_where_the_job_has(swept):
    tune = swept({"resources": {"gpus": 2}}).experiments["cnn"].tune

    assert (tune.resources.gpus, tune.resources_per_trial.gpu) == (2, 1)


def test_a_sweep_is_compared_with_its_experiment_without_it(swept):
    study = swept(run="cnn")

    assert list(study.experiments) == ["cnn", "cnn-default"]
    assert study.siblings == {"cnn": "cnn-default"}
    sibling, own = study.experiments["cnn-default"], study.experiments["cnn"]
    assert sibling.model_copy(update={"tune": own.tune, "description": None}) == own


def test_no_sibling_without_a_baseline(swept):
    study = swept({"baseline": False})

    assert list(study.experiments) == ["cnn", "gru"]
    assert study.siblings == {}


def test_an_experiment_that_is_the_same_is_the_sibling(swept, experiments: Path):
    (experiments / "plain.yaml").write_text("extends: cnn\ntune: null\ndescription: As it is\n")

    study = swept(run="cnn")

    assert list(study.experiments) == ["cnn", "plain"]
    assert study.siblings == {"cnn": "plain"}


def test_a_sibling_that_is_not_chosen_is_not_registered(swept, experiments: Path):
    registered = "extends: cnn\ntune: null\nregister: {auto_promote: true}\npredict: {data: [digits]}\n"
    (experiments / "plain.yaml").write_text(registered)

    sibling = swept(run="cnn").experiments["plain"]
    assert (sibling.register, sibling.predict) == (None, None)
    assert swept(run="*").experiments["plain"].register.auto_promote


def test_two_sweeps_of_one_experiment_share_a_sibling(swept, experiments: Path):
    (experiments / "cnn_random.yaml").write_text("extends: cnn\ntune: {search_alg: {kind: random}}\n")

    assert swept().siblings == {"cnn": "cnn-default", "cnn_random": "cnn-default"}


def test_a_sweep_that_is_only_needed_has_no_sibling(swept, experiments: Path):
    (experiments / "next.yaml").write_text("extends: cnn\ntune: null\nmodel: {pretrained: {from_experiment: cnn}}\n")

    study = swept(run="next")

    assert (list(study.experiments), list(study.needed), study.siblings) == (["next"], ["cnn"], {})


def test_the_spec_of_a_sweep_says_nothing_of_the_machine(swept):
    tune = swept().experiments["cnn"].tune
    other = swept({"max_concurrent_trials": 4, "num_nodes": 2, "baseline": False}).experiments["cnn"].tune

    def told(section: Any) -> dict[str, Any]:
        return TuneSpec.model_construct(tune=section).model_dump(mode="json", warnings=False)["tune"]

    assert told(tune) == told(other)
    assert "resources" not in told(tune)
    assert tune != other


def test_every_draw_of_a_space_that_was_accepted_is_a_training(swept):
    space = {
        "optimizer.kind": {"choice": ["sgd", "adamw"]},
        "optimizer.lr": {"loguniform": [1e-4, 1e-1]},
        "optimizer.momentum": {"uniform": [0.0, 1.0], "when": {"optimizer.kind": "sgd"}},
        "optimizer.weight_decay": {"uniform": [0.0, "optimizer.lr"]},
        "model": {"choice": [{"kind": "mlp"}, {"kind": "cnn", "channels": [4]}]},
        "model.dropout": {"quniform": [0.0, 0.5, 0.1]},
        "augment.rotate": {"qrandint": [0, 20, 5]},
        "early_stopping": {"choice": [None, {"patience": 2}]},
    }
    experiment = swept({"space": space}).experiments["cnn"]
    spec = spec_of(experiment)
    drawn = Space(experiment.tune.space, spec.model_dump(mode="json"))

    for number in range(100):
        values = drawn.draw(Seeded(0, number))
        merged = Best("cnn", number, values).put_into(spec)
        assert merged.optimizer.lr == values["optimizer.lr"]
        assert drawn.holds(values)


def spec_of(experiment: ExperimentConfig) -> TrainSpec:
    values = {"experiment": "cnn", "seed": 0, **dict(experiment)}
    spec = TrainSpec.model_construct(**{name: values[name] for name in TrainSpec.model_fields})
    return TrainSpec.model_validate_json(spec.model_dump_json())


def test_code_of_all_sections_that_a_sweep_may_choose_is_known(swept):
    space = {"model": {"choice": [{"kind": "mlp"}, {"kind": "cnn"}]}, "optimizer.lr": {"uniform": [0.1, 0.2]}}

    experiments = swept({"space": space}).experiments

    assert {one.model.kind for one in variants(experiments["cnn"])} == {"mlp", "cnn"}
    assert variants(experiments["gru"]) == [experiments["gru"]]


def test_the_best_values_are_read_and_refused_where_they_do_not_fit(swept, tmp_path: Path):
    spec = spec_of(swept().experiments["cnn"])
    file = tmp_path / "best.yaml"
    content = {"format": 1, "experiment": "cnn", "trial": 3, "values": {"optimizer.lr": 1e-05}}
    file.write_text(yaml.safe_dump(content))

    assert Best.read(file).put_into(spec).optimizer.lr == 1e-05
    for change, words in [
        ({"format": 2}, "is of format 2"),
        ({"values": None}, "not the result of a sweep"),
        ({"experiment": "gru"}, "are of gru"),
        ({"values": {"optimizer.lrr": 1}}, "do not fit"),
    ]:
        file.write_text(yaml.safe_dump(content | change))
        with pytest.raises(UserError, match=words):
            Best.read(file).put_into(spec)
    with pytest.raises(UserError, match="No such file"):
        Best.read(tmp_path / "none.yaml")


PATHS = st.sampled_from(
    ["optimizer.lr", "optimizer", "optimizer.kind", "model", "model.dropout", "augment.rotate", "x.y", "seeds", ""]
)
VALUES = st.none() | st.booleans() | st.integers(-1, 3) | st.floats(0, 2) | st.sampled_from(["sgd", "optimizer.lr"])
RANGES = st.dictionaries(
    st.sampled_from(["uniform", "quniform", "loguniform", "randint", "qlograndint", "choice", "grid", "when"]),
    st.lists(VALUES, max_size=3) | st.dictionaries(PATHS, VALUES, max_size=2) | VALUES,
    max_size=2,
)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    space=st.dictionaries(PATHS, RANGES, max_size=3),
    kind=st.sampled_from(["random", "grid", "optuna", "bohb"]),
    matrix=st.none() | st.dictionaries(PATHS, st.lists(VALUES, max_size=3), max_size=2),
)
def test_no_sweep_and_no_matrix_makes_a_crash(study: Path, space: dict, kind: str, matrix: dict | None):
    file = study / "config/experiments/cnn.yaml"
    before = file.read_text()
    content = copy.deepcopy(yaml.safe_load(before))
    content["tune"] = None if matrix else {"num_samples": 4, "search_alg": {"kind": kind}, "space": space}
    file.write_text(yaml.safe_dump(content | {"matrix": matrix}))
    try:
        load_study(study)
    except ConfigError as error:
        assert all(line.startswith("  config/") for line in str(error).splitlines()[1:])
    finally:
        file.write_text(before)
