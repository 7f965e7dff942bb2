from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from snaketorch.config.base import Section
from snaketorch.config.load import load_study
from snaketorch.provenance import canonical_json


def test_the_monitored_metric_is_the_goal_of_the_task(study: Path):
    assert load_study(study).experiments["cnn"].checkpoint.monitor == "val/accuracy"
    assert load_study(study).experiments["gru"].checkpoint.monitor == "val/mae"


def test_all_metrics_of_the_task_are_measured(study: Path):
    experiments = load_study(study).experiments

    assert experiments["gru"].evaluate.metrics == ["mae", "rmse", "mase"]
    assert "auroc" in experiments["cnn"].evaluate.metrics


def test_no_early_stopping_stays_none(study: Path):
    assert load_study(study).experiments["gru"].early_stopping is None


@pytest.mark.parametrize("name", ["cnn", "gru"])
def test_a_default_that_is_written_out_changes_nothing(study: Path, name: str):
    """Else a formality would train again: specs are compared as text."""
    before = load_study(study).experiments[name]
    values = before.model_dump(mode="json")
    del values["trainer"]["gradient_clip_algorithm"]  # says nothing without a bound, and is refused
    (study / f"config/experiments/{name}.yaml").write_text(yaml.safe_dump(values))

    after = load_study(study).experiments[name]

    assert canonical_json(after.model_dump(mode="json")) == canonical_json(before.model_dump(mode="json"))


def test_defaults_obey_their_own_rules(study: Path):
    # those that are written down: the checks make classes of the same name to set single keys of
    for section in (each for each in all_sections(Section) if each.__name__ != each.__base__.__name__):
        of_section = loose(section)
        for name, field in section.model_fields.items():
            if not field.is_required():
                validated = section.__pydantic_validator__.validate_assignment(of_section(), name, field.default)
                value = getattr(validated, name)
                assert (value, type(value)) == (field.default, type(field.default)), f"{section.__name__}.{name}"


def loose(section: type[Section]) -> Callable[[], Any]:
    """Makes sections that can be changed, with something in each field that has no default."""
    required = {name: "a.ts" for name, field in section.model_fields.items() if field.is_required()}
    changeable = type("Loose", (section,), {"__module__": __name__}, frozen=False)
    return partial(changeable.model_construct, **required)


def all_sections(base: type[Section]) -> list[type[Section]]:
    return [found for section in base.__subclasses__() for found in [section, *all_sections(section)]]
