import subprocess

import pytest
from snakemake.utils import format as snakemake_format

from snaketorch.dag.software import check_modules, container_image, environment_modules
from snaketorch.errors import UserError

VARIABLES = {"SNAKETORCH_CONTAINER": "docker://lab/snaketorch:1", "SNAKETORCH_MODULES": "python/3.11 cuda/13.0"}


@pytest.mark.parametrize("methods", [set(), {"conda"}])
def test_nothing_is_taken_from_a_site_that_was_not_asked_for(methods, tmp_path):
    assert container_image(methods, tmp_path, VARIABLES) is None
    assert environment_modules(methods, VARIABLES) == []


def test_jobs_run_in_the_image_that_is_named(tmp_path):
    image = tmp_path / "lab.sif"
    image.touch()

    assert container_image({"apptainer"}, tmp_path, VARIABLES) == VARIABLES["SNAKETORCH_CONTAINER"]
    assert container_image({"apptainer"}, tmp_path, {"SNAKETORCH_CONTAINER": str(image)}) == str(image)


def test_jobs_run_in_the_image_that_the_recipe_makes_where_none_is_named(tmp_path):
    image = tmp_path / "envs" / "snaketorch.sif"
    image.parent.mkdir()
    image.touch()

    assert container_image({"apptainer"}, tmp_path, {}) == str(image)


@pytest.mark.parametrize("variables", [{}, {"SNAKETORCH_CONTAINER": ""}, {"SNAKETORCH_CONTAINER": "not_there.sif"}])
def test_an_image_that_is_not_there_is_told_before_any_job(variables, tmp_path):
    with pytest.raises(UserError, match=r"no container image .*\.sif; allowed: build it .* SNAKETORCH_CONTAINER"):
        container_image({"apptainer"}, tmp_path, variables)


def test_jobs_load_the_modules_that_are_named():
    assert environment_modules({"env-modules", "conda"}, VARIABLES) == ["python/3.11", "cuda/13.0"]


@pytest.mark.parametrize("variables", [{}, {"SNAKETORCH_MODULES": " "}])
def test_modules_without_names_are_told_before_any_job(variables):
    with pytest.raises(UserError, match=r"no modules are named; allowed: .* SNAKETORCH_MODULES"):
        environment_modules({"env-modules"}, variables)


@pytest.mark.parametrize(("loaded", "code"), [("python/3.11 cuda", 0), ("python/3.11", 1), ("", 1)])
def test_a_job_ends_before_it_begins_if_a_module_could_not_be_loaded(loaded, code):
    module = f"module() {{ [[ $1 = is-loaded && ' {loaded} ' = *\" $2 \"* ]]; }}; "
    check = snakemake_format(check_modules(["python/3.11", "cuda"]))

    job = subprocess.run(["bash", "-c", f"{module} {check} echo begun"], capture_output=True, text=True)

    assert job.returncode == code
    assert job.stdout == ("" if code else "begun\n")
    assert ("could not be loaded" in job.stderr) == bool(code)


def test_a_job_ends_before_it_begins_where_modules_are_unknown():
    job = subprocess.run(["bash", "-c", check_modules(["python"]) + "echo begun"], capture_output=True, text=True)

    assert (job.returncode, job.stdout) == (1, "")
