"""The examples of config/README.md are configurations."""

import re
from pathlib import Path

import pytest
import yaml

from snaketorch.config.augment import Augment
from snaketorch.config.conflicts import dataset_conflicts
from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.explain import kinds, schema_of

TEXT = (Path(__file__).parents[3] / "config/README.md").read_text("utf-8")
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]
DATASETS = [example for example in EXAMPLES if "source" in (example or {})]


@pytest.mark.parametrize("example", DATASETS, ids=lambda example: example["source"]["kind"])
def test_a_dataset_of_the_reference_is_valid(example: dict):
    dataset = DatasetConfig.model_validate(example)

    assert list(dataset_conflicts(dataset, set(DatasetConfig.model_fields))) == []


def test_every_source_has_an_example():
    known = kinds(schema_of(DatasetConfig)["properties"]["source"])

    assert {example["source"]["kind"] for example in DATASETS} == set(known)


def test_the_augmentations_of_the_reference_are_valid():
    sections = [example["augment"] for example in EXAMPLES if list(example or {}) == ["augment"]]

    assert len(sections) == 2
    assert all(Augment.model_validate(section).active for section in sections)
