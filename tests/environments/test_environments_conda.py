"""`snakemake --sdm conda`, with a test double of conda: every job runs in its environment, and sees nothing else."""

import subprocess

import pytest
import uv
import yaml
from environment_study import copy_repository
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.environments

ENVIRONMENT = {
    "init-tracking": "snaketorch-train",
    "prepare": "snaketorch-train",
    "preview-augmentation": "snaketorch-train",
    "train": "snaketorch-train",
    "sync": "snaketorch-train",
    "evaluate": "snaketorch-train",
    "summarise": "snaketorch-report",
    "report": "snaketorch-report",
}
"""Of each step."""


def installed(environment) -> dict[str, str]:
    command = [uv.find_uv_bin(), "pip", "freeze", "--python", environment / "bin/python"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def pins(repository, name) -> dict[str, str]:
    content = yaml.safe_load((repository / f"envs/{name.removeprefix('snaketorch-')}.yaml").read_text())
    lines = content["dependencies"][-1]["pip"]
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def times_made(conda) -> int:
    return sum(call.startswith("env create ") for call in (conda / "calls").read_text().splitlines())


def test_each_environment_is_made_once(study, conda):
    assert times_made(conda) == len(study.environments()) == len({*ENVIRONMENT.values()})


def test_each_step_runs_in_its_environment(study):
    places = {folder: name for name, folder in study.environments().items()}

    found = {(process.step, places[process.prefix]) for process in study.processes() if process.step}

    assert found == {*ENVIRONMENT.items()}


def test_a_step_imports_from_its_environment_and_the_checkout_and_from_nowhere_else(study):
    for process in study.processes():
        foreign = {
            name: file
            for name, file in process.files.items()
            if not file.is_relative_to(process.prefix) and not file.is_relative_to(study.repository)
        }
        assert foreign == {}, process.step
        if process.step:
            assert process.files["snaketorch"] == study.repository / "snaketorch/__init__.py"


@pytest.mark.parametrize("name", sorted({*ENVIRONMENT.values()}))
def test_an_environment_holds_its_pins_and_nothing_of_the_tests_own(study, name):
    found = installed(study.environments()[name])
    wanted = pins(study.repository, name)

    assert {package: found.get(package) for package in wanted} == wanted
    assert {"snakemake", "pytest", "snaketorch"}.isdisjoint(found)


def test_the_environment_of_the_report_holds_nothing_but_its_pins(study):
    found = installed(study.environments()["snaketorch-report"])

    assert found.keys() == {*pins(study.repository, "snaketorch-report"), "pip"}


@pytest.mark.parametrize("name", sorted({*ENVIRONMENT.values()}))
def test_the_packages_of_an_environment_get_on_with_each_other(study, name):
    command = [uv.find_uv_bin(), "pip", "check", "--python", study.environments()[name] / "bin/python"]

    checked = subprocess.run(command, capture_output=True, text=True)

    assert checked.returncode == 0, checked.stderr


def test_a_step_that_imports_what_its_environment_lacks_fails(study, conda, tmp_path):
    edited = copy_repository(study.repository, tmp_path / "snaketorch")
    module = edited / "snaketorch/report/study.py"
    module.write_text(module.read_text().replace("\nimport ", "\nimport torch\nimport ", 1))

    ran = study.snakemake("--sdm", "conda", repository=edited)

    assert ran.returncode == 1
    assert "No module named 'torch'" in ran.stdout
    assert times_made(conda) == len({*ENVIRONMENT.values()})
