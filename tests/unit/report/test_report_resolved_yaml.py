import pytest
from fabricated_study import EXPERIMENTS, experiment
from hypothesis import example, given, settings
from hypothesis import strategies as st

from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.yaml_loader import read_yaml
from snaketorch.report.resolved_yaml import resolved_yaml


def load(path) -> ExperimentConfig:
    document = read_yaml(path, str(path))
    assert document.problems == []
    return ExperimentConfig.model_validate(document.data)


@pytest.fixture(scope="module")
def one_path(tmp_path_factory):
    """A path that every example of a property test writes anew."""
    return tmp_path_factory.mktemp("yaml") / "config.yaml"


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_configuration_loads_back_equal(name, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(resolved_yaml(name, experiment(name)), encoding="utf-8")

    assert load(path) == experiment(name)


@settings(max_examples=80, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"], min_codepoint=0x20), min_size=1, max_size=200))
@example(text="no")
@example(text="1e-3")
@example(text="0x1F")
@example(text="012")
@example(text="1:30")
@example(text="null")
@example(text="=")
@example(text="- a: b # c")
@example(text="x" * 200)
@example(text="ends with a space ")
@example(text="line\u2028separator \x85 \x7f \ufeff 🐍")
def test_any_description_loads_back_equal(text, one_path):
    config = experiment("digits_cnn", description=text)
    one_path.write_text(resolved_yaml("digits_cnn", config), encoding="utf-8")

    assert load(one_path).description == text


def test_the_file_reads_like_one_of_its_authors():
    text = resolved_yaml("digits_cnn", experiment("digits_cnn"))

    assert text.startswith("# What experiment 'digits_cnn' was run with")
    assert "\nmodel:\n  kind: cnn\n  pretrained: null\n  channels: [32, 64, 64]\n" in text
    assert "extends:" not in text
