"""One experiment for each combination of a matrix."""

from pathlib import Path

import pytest

from snaketorch.config.derived_names import derived_name, slug
from snaketorch.config.load import Study, load_study
from snaketorch.config.problems import ConfigError


@pytest.fixture
def add(study: Path):
    """Adds lines to the experiment `cnn`, and reads the study."""

    def read(text: str) -> Study:
        with (study / "config/experiments/cnn.yaml").open("a") as file:
            file.write(text)
        return load_study(study)

    return read


def test_there_is_an_experiment_for_each_combination(add):
    study = add("matrix:\n  optimizer.lr: [1.0e-3, 3.0e-3]\n  data_loader.batch_size: [32, 64]\n")

    members = ["cnn-0_001-32", "cnn-0_001-64", "cnn-0_003-32", "cnn-0_003-64"]
    assert sorted(study.experiments) == [*members, "gru"]
    assert study.matrices == {"cnn": members}
    found = {(one.optimizer.lr, one.data_loader.batch_size) for one in map(study.experiments.get, members)}
    assert found == {(0.001, 32), (0.001, 64), (0.003, 32), (0.003, 64)}
    assert all(one.matrix is None for one in study.experiments.values())


def test_values_that_are_one_word_are_two_experiments(add, study: Path):
    (study / "nets.py").write_text("class Wide: ...\n")
    network = "{kind: custom, class_path: nets.Wide, init_args: {norm: %s}}"
    found = add(f"matrix:\n  model: [{network % 'none'}]\n  model.init_args.norm: [none, null, batch]\n")

    norms = [found.experiments[name].model.init_args["norm"] for name in found.matrices["cnn"]]
    assert norms == ["none", None, "batch"]
    assert sum(name.endswith("-none") for name in found.matrices["cnn"]) == 1


def test_another_value_renames_no_experiment(add, experiments: Path):
    before = add("matrix: {optimizer.lr: [1.0e-3, 3.0e-3], model.dropout: [0.1, 0.2]}\n").experiments
    text = (experiments / "cnn.yaml").read_text()
    (experiments / "cnn.yaml").write_text(text.replace("lr: [1.0e-3", "lr: [0.5, 1.0e-3"))

    after = add("").experiments

    assert len(after) == len(before) + 2
    assert before.items() <= after.items()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (32, "32"),
        (-1, "-1"),
        (0.001, "0_001"),
        (1e-05, "1e-05"),
        (1e30, "1e30"),
        (True, "true"),
        (None, "none"),
        ("relu", "relu"),
        ([8, 16], "8_16"),
    ],
)
def test_a_value_is_told_in_letters_that_names_have(value: object, text: str):
    assert slug(value) == text


@pytest.mark.parametrize("values", [["a b", "a_b", "a-b"], [{"kind": "sgd"}, {"kind": "sgd", "lr": 0.1}], [[0.5], [5]]])
def test_values_that_look_alike_have_other_names(values: list):
    assert len(set(map(slug, values))) == len(values)


def test_a_name_that_is_too_long_ends_in_letters_that_stand_for_its_values():
    long = derived_name("n" * 60, "0_001", {"lr": 0.001})

    assert len(long) == 64
    assert long != derived_name("n" * 60, "0_003", {"lr": 0.003})


def test_run_names_all_of_a_matrix_at_once(add, study):
    (study / "config/config.yaml").write_text("study: small\nrun: [cnn]\n")

    chosen = add("matrix: {optimizer.lr: [1.0e-3, 3.0e-3]}\n")

    assert list(chosen.experiments) == chosen.matrices["cnn"] == ["cnn-0_001", "cnn-0_003"]


def test_run_may_name_some_of_a_matrix(add, study):
    (study / "config/config.yaml").write_text("study: small\nrun: ['cnn-*3']\n")

    chosen = add("matrix: {optimizer.lr: [1.0e-3, 3.0e-3]}\n")

    assert list(chosen.experiments) == chosen.matrices["cnn"] == ["cnn-0_003"]


def test_any_key_may_vary(add):
    study = add("matrix: {task: [image_classification, {kind: image_classification, label_smoothing: 0.1}]}\n")

    assert {one.task.label_smoothing for name, one in study.experiments.items() if name != "gru"} == {0.0, 0.1}


def test_who_extends_a_matrix_is_one_too_and_may_do_without(add, experiments: Path):
    (experiments / "wide.yaml").write_text("extends: cnn\nmodel: {channels: [32]}\n")
    (experiments / "alone.yaml").write_text("extends: cnn\nmatrix: null\n")

    study = add("matrix: {optimizer.lr: [1.0e-3, 3.0e-3]}\n")

    assert study.matrices == {"cnn": ["cnn-0_001", "cnn-0_003"], "wide": ["wide-0_001", "wide-0_003"]}
    assert "alone" in study.experiments


def test_an_abstract_matrix_is_nothing_by_itself(add):
    assert list(add("abstract: true\nmatrix: {optimizer.lr: [1.0e-3, 3.0e-3]}\n").experiments) == ["gru"]


def test_a_problem_of_a_member_stands_where_its_value_does(add):
    with pytest.raises(ConfigError) as error:
        add("matrix:\n  optimizer.lr:\n  - 1.0e-3\n  - 30\n  model.kind: [cnn, mlp, gru]\n")

    assert [(problem.line, problem.key) for problem in error.value.problems] == [
        (17, "optimizer.lr"),
        (18, "model.kind"),
    ]
