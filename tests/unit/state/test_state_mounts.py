import pytest

from snaketorch.state.mounts import locks_are_local

LINES = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:40 / /home rw,relatime shared:1 - nfs4 server:/home rw,vers=4.2,local_lock=none
31 22 0:41 / /data rw,relatime shared:2 master:1 - nfs server:/data rw,vers=3,local_lock=flock
32 22 0:42 / /old rw,relatime - nfs server:/old rw,vers=3,nolock,local_lock=all
33 22 0:43 / /scratch rw,localflock - lustre ost@tcp:/scratch rw
34 22 0:44 / /scratch/fine rw,flock - lustre ost@tcp:/fine rw,flock
35 22 0:45 / /a\\040b rw - nfs server:/ab rw,nolock
"""


@pytest.mark.parametrize(
    ("folder", "local"),
    [
        ("/var/x", False),
        ("/home/me", False),
        ("/data/me", True),
        ("/database", False),
        ("/old", True),
        ("/scratch/me", True),
        ("/scratch/fine/me", False),
        ("/a b/me", True),
    ],
)
def test_local_locks_are_known_by_the_options_of_the_mount(folder, local, tmp_path):
    from pathlib import Path

    (tmp_path / "mountinfo").write_text(LINES)
    assert locks_are_local(Path(folder), tmp_path / "mountinfo") is local


def test_where_mounts_cannot_be_read_locks_are_trusted(tmp_path):
    assert not locks_are_local(tmp_path, tmp_path / "nothing")
