from pathlib import Path

import pytest
from snakemake.cli import parse_config

from snaketorch.config.load import Study, load_study
from snaketorch.config.problems import ConfigError


def load(folder: Path, *arguments: str) -> Study:
    return load_study(folder, parse_config(arguments))


def test_without_overrides_the_files_hold(study: Path):
    assert load_study(study) == load_study(study, {}) == load_study(study, {"experiments": {}, "datasets": {}})


def test_a_value_is_read_as_in_a_file(study: Path):
    found = load(study, "experiments={cnn: {optimizer: {lr: 1e-2}, trainer: {deterministic: false}, description: off}}")

    cnn = found.experiments["cnn"]
    assert cnn.optimizer.lr == 0.01
    assert cnn.optimizer.kind == "adamw", "what is not overridden stays"
    assert cnn.trainer.deterministic is False
    assert cnn.trainer.max_epochs == 4
    assert cnn.description == "off"


def test_null_takes_a_section_away(study: Path):
    assert load(study, "experiments={cnn: {early_stopping: null}}").experiments["cnn"].early_stopping is None


def test_values_of_a_configfile_keep_their_types(study: Path):
    found = load_study(study, {"experiments": {"cnn": {"optimizer": {"lr": 0.01}, "seeds": [3, "4"]}}})

    assert found.experiments["cnn"].optimizer.lr == 0.01
    assert found.experiments["cnn"].seeds == [3, 4]


def test_the_study_can_be_overridden(study: Path):
    found = load(study, "study=other", "run=[g*]", "report={title: Another title}")

    assert found.config.study == "other"
    assert found.config.report.title == "Another title"
    assert list(found.experiments) == ["gru"]


@pytest.mark.parametrize("name", ["001", "2024", "1e5", "null", "true"])
def test_an_experiment_with_the_name_of_a_value_can_be_run(name: str, study: Path, experiments: Path):
    (experiments / "cnn.yaml").rename(experiments / f"{name}.yaml")

    assert list(load(study, f'run=["{name}"]').experiments) == [name]
    assert list(load(study, f"run=[{name}]").experiments) == [name]


def test_an_override_reaches_those_who_extend(study: Path, experiments: Path):
    (experiments / "wide.yaml").write_text("extends: cnn\nmodel: {channels: [64]}\n")

    found = load(study, "experiments={cnn: {optimizer: {lr: 0.5}, model: {channels: [1]}}}")

    assert found.experiments["wide"].optimizer.lr == 0.5
    assert found.experiments["wide"].model.channels == [64], "what a file sets itself goes before what it inherits"


def test_an_override_can_change_what_is_extended(study: Path, experiments: Path):
    (experiments / "wide.yaml").write_text("extends: gru\n")

    assert load(study, "experiments={wide: {extends: cnn}}").experiments["wide"].data == "digits"


def test_a_section_of_another_kind_drops_the_keys_of_the_old_one(study: Path):
    found = load(study, "experiments={gru: {model: {kind: lstm}}}")

    assert found.experiments["gru"].model.kind == "lstm"
    assert found.experiments["gru"].model.hidden == 64


def test_keys_of_a_configfile_that_are_no_text_are_unknown_keys(study: Path):
    with pytest.raises(ConfigError) as error:
        load_study(study, {3: "x", "experiments": {None: {}, "cnn": {7: 1}}})

    assert [problem.key for problem in error.value.problems] == ["3", "experiments.None", "experiments.cnn.7"]


def test_files_are_not_touched(study: Path):
    files = {path: path.read_bytes() for path in study.rglob("*.yaml")}

    load(study, "experiments={cnn: {seeds: [5]}}")

    assert {path: path.read_bytes() for path in study.rglob("*.yaml")} == files
