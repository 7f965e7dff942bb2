"""The larger experiments of config/examples/, which no run reads, are configurations."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from snaketorch.config.load import load_study

CONFIG = Path(__file__).parents[3] / "config"
EXAMPLES = CONFIG / "examples"
EXPERIMENTS = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in EXAMPLES.glob("experiments/*.yaml")}
TABLE = re.findall(r"^\| `(\w+)` \|(.*)\| `(\w+)` \|.*\|$", (EXAMPLES / "README.md").read_text("utf-8"), re.MULTILINE)


OF_THE_STUDY = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in CONFIG.glob("experiments/*.yaml")}


def data_of(name: str) -> str:
    experiment = (EXPERIMENTS | OF_THE_STUDY)[name]
    return experiment["data"] if "data" in experiment else data_of(experiment["extends"])


@pytest.mark.parametrize(("name", "what", "dataset"), TABLE, ids=[row[0] for row in TABLE])
def test_a_copy_of_what_the_table_names_is_a_valid_experiment(name, what, dataset, tmp_path):
    shutil.copytree(CONFIG, tmp_path / "config")
    for experiment in (name, *re.findall(r"`(\w+)`", what)):
        shutil.copy(EXAMPLES / f"experiments/{experiment}.yaml", tmp_path / "config/experiments")
    if (EXAMPLES / f"datasets/{dataset}.yaml").exists():
        shutil.copy(EXAMPLES / f"datasets/{dataset}.yaml", tmp_path / "config/datasets")
    path = yaml.safe_load((tmp_path / f"config/datasets/{dataset}.yaml").read_text("utf-8"))["source"].get("path")
    if path is not None:  # the user's own file
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).touch()

    study = load_study(tmp_path)

    assert study.experiments[name].data == dataset
    assert study.datasets.keys() >= {dataset}


def test_the_table_names_every_example_with_its_dataset():
    assert {name: dataset for name, _, dataset in TABLE} == {name: data_of(name) for name in EXPERIMENTS}
    of_the_study = {path.stem for path in CONFIG.glob("datasets/*.yaml")}
    assert {dataset for *_, dataset in TABLE} - of_the_study == {path.stem for path in EXAMPLES.glob("datasets/*.yaml")}


def test_no_run_reads_the_examples():
    assert load_study(CONFIG.parent).experiments.keys().isdisjoint(EXPERIMENTS)
