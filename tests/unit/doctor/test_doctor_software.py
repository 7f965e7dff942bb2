import sys
from importlib import metadata

import pytest

from snaketorch.doctor import software
from snaketorch.doctor.software import look_at_software

PROJECT = """
[project]
requires-python = ">=3.11"
dependencies = ["snakemake>=9.20", "torch>=2.11", "pytorch-lightning >= 2.6"]
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Says which versions are installed, and finds what is wrong with them, by what it is about."""
    versions = {
        "snakemake": "9.27.1",
        "torch": "2.14.1+cu130",
        "pytorch-lightning": "2.6.6",
        "snakemake-executor-plugin-slurm": "2.8.0",
        "snakemake-executor-plugin-slurm-jobstep": "0.6.1",
    }
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "constraints.txt").write_text(
        "# all\nsnakemake==9.27.1\ntorch==2.14.1\npytorch_lightning==2.6.6\nother==1\n"
    )

    def version(name):
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    def look(**others):
        versions.update({name.replace("_", "-"): version for name, version in others.items()})
        for name in [name for name, version in versions.items() if version is None]:
            del versions[name]
        return {finding.about: finding for finding in look_at_software(tmp_path)}

    monkeypatch.setattr(software.metadata, "version", version)
    monkeypatch.setattr(software.shutil, "which", lambda name: str(software.Path(sys.executable).parent / name))
    return look


def test_tested_packages_are_well(installed):
    found = installed()
    assert {finding.status for finding in found.values()} == {"OK"}
    assert found["Slurm plugin"].found == "2.8.0, jobstep 0.6.1"


def test_missing_and_old_packages_fail_by_name(installed):
    found = installed(snakemake="9.3", torch=None)
    assert found["packages"].status == "FAIL"
    assert found["packages"].found == "snakemake 9.3, needed: 9.20 or newer; torch is missing"
    assert "pip install" in found["packages"].advice


def test_other_versions_than_the_tested_ones_are_named(installed):
    found = installed(torch="2.15.0")
    assert found["packages"].status == "OK"
    assert found["tested versions"].status == "WARN"
    assert found["tested versions"].found == "torch 2.15.0 (tested: 2.14.1)"


def test_an_old_python_fails(installed, monkeypatch):
    monkeypatch.setattr(software.platform, "python_version", lambda: "3.9.18")
    found = installed()["Python"]
    assert (found.status, found.found) == ("FAIL", "3.9.18; needed: 3.11 or newer")


@pytest.mark.parametrize(
    ("program", "found"), [(None, "not on the PATH"), ("/opt/bin/snakemake", "/opt/bin/snakemake is of another env")]
)
def test_a_snakemake_of_another_environment_is_told(installed, monkeypatch, program, found):
    monkeypatch.setattr(software.shutil, "which", lambda name: program)
    finding = installed()["Snakemake"]
    assert finding.status == "WARN"
    assert finding.found.startswith(found)


def test_a_missing_plugin_is_told(installed):
    finding = installed(snakemake_executor_plugin_slurm_jobstep=None)["Slurm plugin"]
    assert finding.status == "WARN"
    assert finding.found == "missing: snakemake-executor-plugin-slurm-jobstep"


def test_the_bounds_of_this_project_are_understood(repo):
    python, needed = software._needed(repo)
    assert python == "3.11"
    assert {"torch", "snakemake", "snakemake-executor-plugin-slurm"} <= needed.keys()
    assert len(needed) == (repo / "pyproject.toml").read_text().split("[project.optional")[0].count(">=") - 2
