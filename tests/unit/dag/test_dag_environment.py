import shutil
import subprocess
from pathlib import Path

import pytest
from snakemake.utils import format as snakemake_format

from snaketorch.config.study import StudyConfig
from snaketorch.dag.environment import put_first_on_path, shell_prefix, variables


def study(**tracking) -> StudyConfig:
    return StudyConfig.model_validate({"study": "small", "tracking": tracking})


def found_in_shell(prefix: str) -> dict[str, str]:
    """The environment of a command after ``prefix``, formatted as Snakemake does and run by bash."""
    script = f"{snakemake_format(prefix)} env -0"
    output = subprocess.run(["bash", "-c", script], env={"PATH": "/usr/bin:/bin"}, capture_output=True, check=True)
    return dict(item.split("=", 1) for item in output.stdout.decode().split("\0")[:-1])


def test_steps_learn_the_study_and_whether_it_is_tracked():
    assert variables(study()) == {"SNAKETORCH_STUDY": "small", "SNAKETORCH_TRACKING": "on"}
    assert variables(study(enabled=False))["SNAKETORCH_TRACKING"] == "off"
    assert variables(study(uri="http://127.0.0.1:5000"))["SNAKETORCH_TRACKING_URI"] == "http://127.0.0.1:5000"


@pytest.mark.parametrize(
    "folder",
    ["/lab", "/my lab", "/it's", '/the "lab"', "/{lab}", "/$HOME", "/a;b&c", "/`id`", "/back\\slash", "/größe"],
)
def test_a_path_reaches_the_job_as_it_is(folder):
    assert found_in_shell(shell_prefix(Path(folder), study()))["PYTHONPATH"] == folder


def test_an_address_reaches_the_job_as_it_is():
    uri = "https://mlflow.example.org/{a}/$(touch mark);b='c'&d=\\"

    assert found_in_shell(shell_prefix(Path("/lab"), study(uri=uri)))["SNAKETORCH_TRACKING_URI"] == uri


def test_a_job_knows_the_process_that_started_it():
    assert found_in_shell(shell_prefix(Path("/lab"), study()))["SNAKETORCH_PARENT"].isdigit()


def test_a_command_that_fails_in_a_pipe_fails_the_job():
    prefix = snakemake_format(shell_prefix(Path("/lab"), study()))

    for script in ("false | true", "echo $not_there", "false; true"):
        assert subprocess.run(["bash", "-c", prefix + script], capture_output=True).returncode != 0


def test_secrets_of_the_environment_stay_there(monkeypatch):
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_PASSWORD", "SNAKETORCH_TRACKING_URI", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "https://me:hunter2@mlflow.example.org")

    assert "hunter2" not in shell_prefix(Path("/lab"), study(uri="http://127.0.0.1:5000"))


def test_programs_of_the_workflow_are_found_before_others_of_their_names(tmp_path, monkeypatch):
    for folder in ("ours", "others"):
        program = tmp_path / folder / "sacct"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "others"))

    put_first_on_path(tmp_path / "ours")

    assert shutil.which("sacct") == str(tmp_path / "ours/sacct")
