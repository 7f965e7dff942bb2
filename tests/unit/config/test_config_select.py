from pathlib import Path

import pytest

from snaketorch.config.load import load_study
from snaketorch.config.problems import ConfigError


@pytest.fixture
def many(study: Path, experiments: Path) -> Path:
    for name in ("cnn_1", "cnn_2", "Cnn_3"):
        (experiments / f"{name}.yaml").write_text("extends: cnn\n")
    (experiments / "base.yaml").write_text("abstract: true\n")
    return study


@pytest.mark.parametrize(
    ("run", "names"),
    [
        (["*"], ["Cnn_3", "cnn", "cnn_1", "cnn_2", "gru"]),
        (["cnn"], ["cnn"]),
        (["gru", "cnn", "gru"], ["cnn", "gru"]),
        (["cnn_*"], ["cnn_1", "cnn_2"]),
        (["?nn_?"], ["Cnn_3", "cnn_1", "cnn_2"]),
        (["cnn_[2-9]"], ["cnn_2"]),
        (["cnn*", "c*_1"], ["cnn", "cnn_1", "cnn_2"]),
    ],
)
def test_patterns_choose_experiments(many: Path, run: list[str], names: list[str]):
    assert list(load_study(many, {"run": run}).experiments) == names


def test_all_run_when_nothing_is_said(many: Path):
    file = many / "config/config.yaml"
    file.write_text(file.read_text().replace('run: ["*"]\n', ""))

    assert list(load_study(many).experiments) == ["Cnn_3", "cnn", "cnn_1", "cnn_2", "gru"]


def test_only_datasets_of_experiments_that_run_are_used(many: Path):
    study = load_study(many, {"run": ["cnn*"]})

    assert study.used_datasets == ["digits"]
    assert list(study.datasets) == ["digits", "sunspots"]


def test_an_abstract_experiment_never_runs(many: Path):
    with pytest.raises(
        ConfigError, match=r"run\.0: 'base' is abstract, only there to be extended; allowed: Cnn_3, cnn"
    ):
        load_study(many, {"run": ["base"]})


def test_experiments_that_do_not_run_are_checked_too(many: Path, experiments: Path):
    (experiments / "cnn_2.yaml").write_text("extends: cnn\nsede: 1\n")

    with pytest.raises(ConfigError, match=r"cnn_2.yaml:2: sede: unknown key"):
        load_study(many, {"run": ["gru"]})
