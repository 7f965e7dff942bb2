"""A study whose jobs ran in the environments of `envs/`, made by a test double of conda."""

import shutil
import subprocess
import sys
from pathlib import Path

import conda_channel
import conda_double
import pip_index
import pytest
import uv
import yaml
from environment_study import Study, copy_repository

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def repository(repo, tmp_path_factory) -> Path:
    """A copy of what a study needs, which nobody edits meanwhile."""
    return copy_repository(repo, tmp_path_factory.mktemp("repository") / "snaketorch")


@pytest.fixture(scope="session")
def conda(repo, tmp_path_factory) -> Path:
    """Home of a conda that is none, with its ``channel``, its ``bin`` and the list of its ``calls``."""
    _skip_unless_packages_can_be_had(repo)
    home = tmp_path_factory.mktemp("conda")
    conda_channel.build(home / "channel")
    conda_double.install(home)
    return home


@pytest.fixture(scope="session")
def study(tmp_path_factory, repository, conda):
    """One that has run, each process of its jobs watched."""
    study = Study(tmp_path_factory.mktemp("study"), repository, conda / "bin")
    made = study.snakemake("--sdm", "conda", "--conda-create-envs-only")
    assert made.returncode == 0, made.stdout
    for environment in study.environments().values():
        _watch(environment)
    ran = study.snakemake("--sdm", "conda")
    assert ran.returncode == 0, ran.stdout
    yield study
    # several GB where they could not be links to uv's cache
    shutil.rmtree(study.folder / ".snakemake/conda")


def _watch(environment: Path) -> None:
    """Has each Python of an environment tell the tests of itself."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    found = subprocess.run([environment / "bin/python", "-c", ask], capture_output=True, text=True, check=True)
    packages = Path(found.stdout.strip())
    shutil.copy(HERE / "environments_witness.py", packages)
    (packages / "environments_witness.pth").write_text("import environments_witness\n")


def _skip_unless_packages_can_be_had(repo: Path) -> None:
    python = yaml.safe_load((repo / "envs/report.yaml").read_text())["dependencies"][0].removeprefix("python =")
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if here != python:
        pytest.skip(f"envs/ are for Python {python}, and these tests have no other Python to offer than {here}")
    command = [uv.find_uv_bin(), "pip", "compile", *pip_index.uv_options(), "-"]
    asked = subprocess.run(command, input="six", capture_output=True, text=True)
    if "Failed to fetch" in asked.stderr:
        pytest.skip(f"no package index can be reached: {asked.stderr.strip().splitlines()[-1].strip()}")
