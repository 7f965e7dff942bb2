"""The gate of an experiment: what is written out, and what it changes of the study."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from snaketorch.config.load import Study, load_study
from snaketorch.config.problems import ConfigError


@pytest.fixture
def registered(study: Path):
    """Reads the study with a gate in the experiment `cnn`, and perhaps other keys."""

    def read(register: dict[str, Any], **keys: Any) -> Study:
        file = study / "config/experiments/cnn.yaml"
        content = yaml.safe_load(file.read_text()) | {"register": register} | keys
        file.write_text(yaml.safe_dump(content))
        return load_study(study)

    return read


def test_an_empty_section_is_a_gate_against_the_champion(registered):
    register = registered({}).experiments["cnn"].register

    assert register.gate.model_dump() == {
        "metric": "test/accuracy",
        "min": None,
        "max": None,
        "not_worse_than": "champion",
        "margin": 0.0,
    }
    assert (register.name, register.seed, register.auto_promote) == (None, None, False)


def test_the_metric_is_the_first_that_is_measured_where_the_tasks_own_is_not(registered):
    register = registered({}, evaluate={"metrics": ["f1_macro", "loss"]}).experiments["cnn"].register

    assert register.gate.metric == "test/f1_macro"


@pytest.mark.parametrize("name", ["digits", "digits_cnn", "main.lab.digits", "My digits", "a-b.c_d", "7"])
def test_a_registered_model_may_be_called_so(name: str, registered):
    assert registered({"name": name}).experiments["cnn"].register.name == name


@pytest.mark.parametrize("name", ["", ".", "a..b", "a/b", "a:b", "a@b", "a ", " a", "$(id)", "a'b", "a\nb", "x" * 300])
def test_a_registered_model_may_not_be_called_so(name: str, registered):
    with pytest.raises(ConfigError, match=r"register\.name"):
        registered({"name": name})


def test_the_sibling_of_a_sweep_is_not_registered(registered):
    sweep = {"num_samples": 2, "space": {"optimizer.lr": {"uniform": [0.001, 0.01]}}}

    experiments = registered({}, tune=sweep).experiments

    assert experiments["cnn"].register is not None
    assert experiments["cnn-default"].register is None


def test_no_result_depends_on_a_gate(registered):
    experiment = registered({"gate": {"min": 0.9}}).experiments["cnn"]

    assert experiment.until_summary.register is None
    assert experiment.until_summary.model_copy(update={"register": experiment.register}) == experiment
