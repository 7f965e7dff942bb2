"""The `sacct` that the workflow puts before Slurm's: an end is called an end, and all else is passed on."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OURS = ROOT / "workflow/slurm"


@pytest.fixture
def sacct(tmp_path):
    """Calls it where Slurm's own programs say what is given, with an exit code."""

    def call(says: str, code: int = 0, squeue: str = "", squeue_fails: str = "") -> subprocess.CompletedProcess[str]:
        tell = f"echo '{squeue_fails}' >&2; exit 1" if squeue_fails else f"printf '{squeue}'"
        for name, script in {"sacct": f"printf '{says}'; echo \"$@\" >&2; exit {code}", "squeue": tell}.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)
        path = os.pathsep.join([str(OURS), str(tmp_path), os.environ["PATH"]])
        return subprocess.run(["sacct", "-X", "--name", "a b"], env={"PATH": path}, capture_output=True, text=True)

    return call


def test_a_job_that_somebody_cancelled_is_cancelled(sacct):
    found = sacct("1|RUNNING\\n2|CANCELLED by 1000\\n3|COMPLETED\\n")
    assert found.stdout == "1|RUNNING\n2|CANCELLED\n3|COMPLETED\n"


def test_arguments_and_exit_code_are_those_of_the_real_program(sacct):
    found = sacct("", code=3)
    assert (found.returncode, found.stderr, found.stdout) == (3, "-X --name a b\n", "")


def test_other_answers_are_passed_on(sacct):
    said = "  n3  \\nReason: CANCELLED by 1000\\n"
    assert sacct(said).stdout == said.replace("\\n", "\n")


@pytest.mark.parametrize("now", ["PENDING", "COMPLETING", "RUNNING"])
def test_a_preempted_job_that_will_run_again_is_as_slurm_sees_it_now(sacct, now):
    assert sacct("7|PREEMPTED\\n", squeue=f"7|{now}\\n").stdout == f"7|{now}\n"


@pytest.mark.parametrize(
    "squeue",
    [{"squeue": "7|PREEMPTED\\n"}, {"squeue": ""}, {"squeue_fails": "slurm_load_jobs error: Invalid job id specified"}],
)
def test_a_preempted_job_that_slurm_is_done_with_is_cancelled(sacct, squeue):
    assert sacct("7|PREEMPTED\\n", **squeue).stdout == "7|CANCELLED\n"


def test_a_preempted_job_stays_so_while_the_controller_does_not_answer(sacct):
    found = sacct("7|PREEMPTED\\n", squeue_fails="slurm_load_jobs error: Unable to contact slurm controller")
    assert found.stdout == "7|PREEMPTED\n"


def test_a_node_that_is_none_is_no_node_to_avoid(sacct):
    """The plugin would hand the words to `sbatch --exclude`, which then refuses every job."""
    assert sacct("  None assigned  \\n").stdout.strip() == ""
