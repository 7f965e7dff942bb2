"""The examples of config/README.md are configurations."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from snaketorch.config.augment import Augment
from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.explain import kinds, schema_of
from snaketorch.config.load import load_study
from snaketorch.config.models import Model
from snaketorch.config.rules.dataset import dataset_conflicts
from snaketorch.config.tasks import Task
from snaketorch.models import build_network
from snaketorch.models.shapes import ImageShape

TEXT = (Path(__file__).parents[3] / "config/README.md").read_text("utf-8")
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]
DATASETS = [example for example in EXAMPLES if "source" in (example or {})]
TASKS = [example["task"] for example in EXAMPLES if list(example or {}) == ["task"]]
NETWORKS = [example["model"] for example in EXAMPLES if list(example or {}) == ["model"]]
CODE = re.findall(r"```python\n(# (\S+)\n.*?)```", TEXT, re.DOTALL)


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


@pytest.mark.parametrize("example", TASKS, ids=lambda example: example["kind"])
def test_a_task_of_the_reference_is_valid(example: dict):
    task = TypeAdapter(Task).validate_python(example)

    assert task.kind == example["kind"]
    assert list(task.contradictions()) == []


@pytest.mark.parametrize("example", NETWORKS, ids=lambda example: example["kind"])
def test_a_network_of_the_reference_is_valid(example: dict):
    assert TypeAdapter(Model).validate_python(example).kind == example["kind"]


def test_the_networks_of_the_reference_are_of_each_sort():
    assert {example["kind"] for example in NETWORKS} >= {"mlp", "cnn", "resnet", "vit", "lstm", "custom"}


def test_your_own_network_is_as_the_reference_says(tmp_path, monkeypatch):
    (code,) = (code for code, path in CODE if path == "my_lab/nets.py")
    (tmp_path / "readme_lab").mkdir()
    (tmp_path / "readme_lab/nets.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (example,) = (example for example in NETWORKS if example["kind"] == "custom")
    options = example | {"class_path": example["class_path"].replace("my_lab", "readme_lab")}

    network = build_network(TypeAdapter(Model).validate_python(options), ImageShape(1, 8, 8), 3)

    assert network.head.weight.shape == (3, options["init_args"]["width"])


def test_the_sweep_and_the_matrix_of_the_reference_are_valid(study, experiments):
    (tune,) = [example for example in EXAMPLES if "tune" in (example or {})]
    (matrix,) = [example for example in EXAMPLES if "matrix" in (example or {})]
    for name, more in (("swept", tune), ("grid", matrix)):
        (experiments / f"{name}.yaml").write_text(yaml.safe_dump({"extends": "cnn", **more}))

    found = load_study(study)

    assert found.siblings == {"swept": "cnn"}
    assert len(found.matrices["grid"]) == 4
