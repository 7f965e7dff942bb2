"""Two Snakemakes in one folder, and one that comes after a kill."""

import fcntl
import json
import socket

import pytest

pytestmark = pytest.mark.workflow


@pytest.fixture
def killed_study(new_study):
    """A study whose Snakemake was killed: its lock files are still there."""
    state = new_study.folder / ".snakemake"
    (state / "locks").mkdir(parents=True)
    (state / "locks/0.output.lock").write_text("results/datasets/digits/manifest.json\n", "utf-8")
    (state / "snaketorch.lock").write_text(json.dumps({"hosts": [socket.gethostname()]}), "utf-8")
    return new_study


def test_what_a_killed_snakemake_left_locked_is_free(killed_study):
    outcome = killed_study.run_with_stub("prepare")

    assert outcome.code == 0, outcome.stderr
    assert killed_study.dry_run("prepare").jobs == set()


def test_what_a_living_snakemake_locked_stays_locked(killed_study):
    with (killed_study.folder / ".snakemake/snaketorch.lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)

        outcome = killed_study.run_with_stub("prepare")

    assert outcome.code == 1
    assert "LockException" in outcome.stderr
