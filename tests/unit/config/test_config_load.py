from pathlib import Path

import pytest

from snaketorch.config.conflicts import RULES
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.load import load_study
from snaketorch.config.problems import ConfigError


def test_the_example_study_is_valid(repo: Path):
    study = load_study(repo)

    assert study.experiments
    assert {experiment.data for experiment in study.experiments.values()} == study.datasets.keys()


def test_a_study_says_the_same_whatever_the_order_and_form_of_its_files(study: Path, experiments: Path):
    before = load_study(study)
    (experiments / "gru.yaml").write_text(
        "# written another way\n\ntrainer:\n  max_epochs: 0x2\noptimizer:\n  kind: 'adam'\n"
        "model: {hidden: 8, kind: gru}\ndata: sunspots\ntask: {horizon: 2, window: 11, kind: forecasting}\n"
    )

    assert load_study(study) == before


def test_nothing_is_written(study: Path):
    before = sorted(study.rglob("*"))

    load_study(study)

    assert sorted(study.rglob("*")) == before


def test_names_that_are_broken_elsewhere_are_not_reported_as_missing(study: Path, experiments: Path):
    (study / "config/datasets/digits.yaml").write_text("source: [\n")
    (experiments / "cnn.yaml").rename(experiments / "cnn.yml")
    (study / "config/config.yaml").write_text("study: small\nrun: [cnn, gru]\n")

    with pytest.raises(ConfigError) as error:
        load_study(study)

    assert [problem.file for problem in error.value.problems] == [
        "config/datasets/digits.yaml",
        "config/experiments/cnn.yml",
    ]


@pytest.mark.parametrize(
    "content", ["\ufeffclass Wide: ...\n".encode(), "# -*- coding: latin-1 -*-\n# gr\u00f6\u00dfer\n".encode("latin-1")]
)
def test_an_own_module_may_have_any_encoding_that_python_reads(content: bytes, study: Path):
    (study / "nets.py").write_bytes(content)
    experiment = study / "config/experiments/cnn.yaml"
    text = experiment.read_text().replace("kind: cnn\n  channels: [8, 16]", "kind: custom\n  class_path: nets.Wide")
    experiment.write_text(text)

    assert load_study(study).experiments["cnn"].model.class_path == "nets.Wide"


def test_each_rule_names_sections_that_there_are():
    for rule, sections in RULES.items():
        assert set(sections) <= ExperimentConfig.model_fields.keys(), rule.__name__


def test_a_rule_reads_no_more_than_the_sections_that_it_names(study: Path):
    """Else a problem in another section would make it crash, and hide all other problems."""
    experiment = load_study(study).experiments["cnn"]
    for rule, sections in RULES.items():
        part = ExperimentConfig.model_construct()
        for name in ExperimentConfig.model_fields:
            part.__dict__.pop(name, None)
        part.__dict__.update({name: getattr(experiment, name) for name in sections})

        list(rule(part, {"digits": "labelled images"}))
