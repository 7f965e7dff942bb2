"""A container and environment modules, with test doubles of both: what Snakemake asks of them for our jobs.

Whether a real image has what the jobs need, these tests cannot tell.
"""

import json

import apptainer_double
import pytest
from environment_study import Study

pytestmark = pytest.mark.environments

TARGET = "results/datasets/digits/manifest.json"
MODULE = '() { echo "$*" >> module_calls; }'
"""The command `module` is a function of the shell, on a real site too."""


@pytest.fixture
def site(tmp_path, repository) -> Study:
    """A study that has not run, and a folder for programs."""
    (tmp_path / "programs").mkdir()
    return Study(tmp_path / "study", repository, programs=tmp_path / "programs")


def test_each_job_runs_in_the_container(site, tmp_path):
    image, calls = tmp_path / "lab.sif", tmp_path / "calls"
    image.touch()
    apptainer_double.install(site.programs, calls)

    ran = site.snakemake("--sdm=apptainer", "--apptainer-args=--nv", TARGET, SNAKETORCH_CONTAINER=str(image))

    assert ran.returncode == 0, ran.stdout
    (call,) = (words for words in map(json.loads, calls.read_text().splitlines()) if words[0] == "exec")
    assert call[1:4] == ["--home", str(site.folder), "--nv"]
    assert call[-4:-1] == [str(image), "bash", "-c"]
    assert f"PYTHONPATH={site.repository}" in call[-1]
    assert "python -m snaketorch prepare" in call[-1]
    assert (site.folder / TARGET).is_file()


def test_each_job_loads_the_modules(site):
    variables = {"BASH_FUNC_module%%": MODULE, "SNAKETORCH_MODULES": "python/3.11 cuda/13.0"}

    ran = site.snakemake("--sdm=env-modules", "--", TARGET, **variables)

    assert ran.returncode == 0, ran.stdout
    calls = (site.folder / "module_calls").read_text().splitlines()
    assert calls == ["purge", "load python/3.11 cuda/13.0", "is-loaded python/3.11", "is-loaded cuda/13.0"]


@pytest.mark.parametrize("method", ["apptainer", "env-modules"])
def test_a_site_that_names_nothing_is_told_so_before_any_job(site, method):
    ran = site.snakemake(f"--sdm={method}", TARGET)

    assert ran.returncode == 1
    assert f"--sdm {method}: " in ran.stdout
    assert "allowed: " in ran.stdout
    assert "Traceback" not in ran.stdout
    assert not (site.folder / "results").exists()
