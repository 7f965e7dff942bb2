"""The Slurm of these tests keeps out of the way of others."""

import subprocess
import sys
from pathlib import Path

import pytest
import slurm_configuration
import slurm_server
from slurm_configuration import MARK, Configuration

pytestmark = pytest.mark.cluster


@pytest.fixture
def system(tmp_path, monkeypatch) -> Path:
    """What these tests take for /etc/slurm."""
    monkeypatch.setattr(slurm_configuration, "SYSTEM", tmp_path)
    monkeypatch.delenv("SLURM_CONF", raising=False)
    return tmp_path


def test_a_slurm_that_is_not_of_the_tests_is_left_alone(system):
    (system / "slurm.conf").write_text("ClusterName=big")
    with pytest.raises(RuntimeError, match="of another Slurm"):
        Configuration(system / "own").refuse_foreign()


def test_links_that_a_killed_session_left_are_replaced(system):
    own = system / "own"
    own.mkdir()
    (own / "slurm.conf").write_text(MARK)
    (system / "slurm.conf").symlink_to(system / "gone")
    configuration = Configuration(own)
    configuration.refuse_foreign()
    configuration.link()
    assert (system / "slurm.conf").read_text() == MARK
    configuration.unlink()
    assert list(system.iterdir()) == [own]


def test_a_second_session_on_the_machine_is_refused(cluster):
    command = [sys.executable, slurm_server.__file__]
    second = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    assert second.returncode != 0
    assert "does another session run these tests" in second.stderr
    assert "n1" in cluster.ask("sinfo", "--noheader", "--Node")
