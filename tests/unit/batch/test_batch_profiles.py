"""The profiles of other batch systems differ from that of Slurm only in how jobs are submitted."""

import subprocess
import sys
from pathlib import Path

import pytest
import yte

ROOT = Path(__file__).parents[3]
NAMES = {"lsf": "lsf", "pbs": "pbs", "sbatch": "slurm", "sge": "sge"}
"""Profiles, and what ``batch-submit`` calls their batch system."""


def settings(name: str) -> dict:
    return yte.process_yaml((ROOT / "profiles" / name / "config.yaml").read_text("utf-8"), require_use_yte=True)


@pytest.fixture(params=NAMES)
def profile(request) -> dict:
    return settings(request.param)


def test_all_that_is_not_of_the_system_is_as_on_slurm(profile):
    own = ("slurm", "cluster-generic", "executor", "seconds-between")
    common = {key: value for key, value in settings("slurm").items() if not key.startswith(own)}
    assert {key: value for key, value in profile.items() if not key.startswith(own)} == common


def test_its_programs_are_those_of_the_workflow(profile):
    for what in ("submit", "status", "cancel"):
        program = profile[f"cluster-generic-{what}-cmd"].split()[0]
        assert program == f"batch-{what}"
        assert (ROOT / "workflow/batch" / program).stat().st_mode & 0o111
    assert " " not in profile["cluster-generic-cancel-cmd"]  # the plugin takes it for the name of a program


@pytest.mark.parametrize(("name", "system"), NAMES.items())
def test_what_it_says_of_the_site_is_understood(name, system, tmp_path):
    _, *words = settings(name)["cluster-generic-submit-cmd"].split()
    assert words[0] == system
    submit = [sys.executable, ROOT / "workflow/batch/batch-submit", *words, tmp_path / "no_script.sh"]
    done = subprocess.run(submit, capture_output=True, text=True)
    assert "usage:" not in done.stderr
    assert "no_script.sh" in done.stderr
