"""Jobs side by side: each in a process of its own, with GPUs that a fake tool names."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import yte
from fake_tools import GPUS, PARTS, VISIBLE, list_of
from fake_tools import tools as tools

from snaketorch.errors import UserError
from snaketorch.hardware import leases

# Marks the GPUs it sees as in use, for a moment; a mark that is there already is a GPU leased twice.
JOB = """
import os, sys, time
from pathlib import Path
from snaketorch.hardware.leases import lease_gpus
lease_gpus(int(sys.argv[1]), poll_seconds=0.02)
seen = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
assert len(seen) == int(sys.argv[1]), seen
for gpu in seen:
    for slot in range(int(sys.argv[2])):
        try:
            os.close(os.open(f"{gpu}.{slot}.used", os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            pass
    else:
        sys.exit(f"{gpu} is leased to too many")
time.sleep(float(sys.argv[3]))
for used in Path().glob("*.used"):
    if used.name.split(".")[0] in seen:
        used.unlink()
        seen.remove(used.name.split(".")[0])
Path(f"{os.getpid()}.done").write_text(os.environ["CUDA_VISIBLE_DEVICES"])
"""
HOLD = """
import os, sys, time
from snaketorch.hardware.leases import lease_gpus
lease_gpus(int(sys.argv[1]))
print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
time.sleep(600)
"""


@pytest.fixture
def machine(tools, tmp_path, monkeypatch):
    """A machine with GPUs, none of them taken, and no batch system."""
    monkeypatch.setenv(leases.FOLDER, str(tmp_path / "locks"))
    monkeypatch.setenv("PYTHONPATH", str(Path(leases.__file__).parents[2]))
    for name in (*VISIBLE, leases.SLOTS, leases.LEASED, "SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID"):
        monkeypatch.setenv(name, "")  # so that what a lease sets is gone after the test
        monkeypatch.delenv(name)
    monkeypatch.setattr(leases, "_held", [])
    monkeypatch.chdir(tmp_path)

    def with_gpus(number: int, parts: dict[str, list[str]] | None = None) -> None:
        tools("nvidia-smi", list_of(*GPUS[:number], parts=parts))

    yield with_gpus
    for stack in leases._held:
        stack.close()


@pytest.fixture
def started():
    """Starts processes, and ends those that are left."""
    processes: list[subprocess.Popen] = []

    def start(program: str, *arguments: object) -> subprocess.Popen:
        command = [sys.executable, "-c", program, *map(str, arguments)]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def leased(monkeypatch, count: int) -> list[str]:
    """The GPUs that this process sees after it took a lease, as if it had taken none before."""
    for name in (leases.LEASED, "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    leases.lease_gpus(count)
    return os.environ["CUDA_VISIBLE_DEVICES"].split(",")


@pytest.mark.parametrize(
    ("gpus", "slots", "asked"), [(2, 1, [1] * 8), (3, 1, [1, 2, 1, 3, 1, 2, 2, 1]), (2, 2, [1] * 8)]
)
def test_eight_jobs_at_once_never_share_more_than_they_should(
    machine, started, monkeypatch, tmp_path, gpus, slots, asked
):
    machine(gpus)
    monkeypatch.setenv(leases.SLOTS, str(slots))
    jobs = [started(JOB, count, slots, 0.1) for count in asked]
    for job in jobs:
        _, error = job.communicate(timeout=300)
        assert job.returncode == 0, error
    used = Counter(gpu for done in tmp_path.glob("*.done") for gpu in done.read_text().split(","))
    assert used.total() == sum(asked)
    assert set(used) == set(GPUS[:gpus])


def test_what_a_killed_job_had_is_free_at_once(machine, started, monkeypatch):
    machine(1)
    owner = started(HOLD, 1)
    assert owner.stdout.readline().strip() == GPUS[0]
    waiting = started(JOB, 1, 1, 0)
    time.sleep(0.3)
    assert waiting.poll() is None
    owner.send_signal(signal.SIGKILL)
    _, error = waiting.communicate(timeout=300)
    assert waiting.returncode == 0, error


def test_a_job_that_waits_says_so_once_and_names_who_has_the_gpus(machine, started, monkeypatch, caplog):
    machine(1)
    owner = started(HOLD, 1)
    owner.stdout.readline()

    def end_the_owner(seconds):
        if caplog.messages:
            owner.kill()
            owner.wait()

    monkeypatch.setattr(time, "sleep", end_the_owner)
    caplog.set_level("INFO")
    assert leased(monkeypatch, 1) == [GPUS[0]]
    waiting = f"Waiting for 1 GPU: of 1 here too few are free (taken by processes: {owner.pid})"
    assert caplog.messages == [waiting, f"Using GPU {GPUS[0]}"]


def test_jobs_are_spread_before_they_share(machine, monkeypatch):
    machine(2)
    monkeypatch.setenv(leases.SLOTS, "2")
    assert [leased(monkeypatch, 1) for _ in range(4)] == [[GPUS[0]], [GPUS[1]], [GPUS[0]], [GPUS[1]]]


def test_who_wants_a_gpu_alone_does_not_share_with_another_study(machine, started, monkeypatch):
    machine(2)
    monkeypatch.setenv(leases.SLOTS, "4")
    sharing = started(HOLD, 1)
    assert sharing.stdout.readline().strip() == GPUS[0]
    monkeypatch.setenv(leases.SLOTS, "1")
    assert leased(monkeypatch, 1) == [GPUS[1]]
    monkeypatch.setenv(leases.SLOTS, "4")
    assert leased(monkeypatch, 1) == [GPUS[0]]


def test_only_gpus_of_the_list_are_leased_and_by_its_words(machine, monkeypatch):
    machine(4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-bbbb")
    leases.lease_gpus(1)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3"
    monkeypatch.delenv(leases.LEASED)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    leases.lease_gpus(3)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ",".join(GPUS[:3])  # the fourth is the other's number 3


def test_a_lock_counts_only_if_no_cleaner_has_removed_its_file(machine, monkeypatch, tmp_path):
    machine(1)
    flock, cleaned = fcntl.flock, []

    def clean_up_first(file, how):
        if not cleaned and (path := tmp_path / "locks" / GPUS[0]).exists():
            cleaned.append(path.unlink())
        return flock(file, how)

    monkeypatch.setattr(fcntl, "flock", clean_up_first)
    leases.lease_gpus(1, poll_seconds=0.01)
    assert cleaned
    assert (tmp_path / "locks" / GPUS[0]).read_text() == str(os.getpid())


def test_each_part_of_a_gpu_is_leased_by_itself(machine, monkeypatch):
    machine(1, parts={GPUS[0]: PARTS})
    assert [leased(monkeypatch, 1) for _ in PARTS] == [[part] for part in PARTS]


def test_more_gpus_than_there_are_is_a_mistake_and_not_waited_for(machine, monkeypatch):
    machine(2)
    monkeypatch.setenv(leases.SLOTS, "4")
    with pytest.raises(UserError, match=r"asks for 3 GPUs .*there are 2 on this machine"):
        leases.lease_gpus(3)


@pytest.mark.parametrize("slots", ["0", "-1", "two", ""])
def test_slots_that_are_no_number_are_refused(machine, monkeypatch, slots):
    machine(1)
    monkeypatch.setenv(leases.SLOTS, slots)
    with pytest.raises(UserError, match=f"{leases.SLOTS}={slots}: .*allowed: a whole number from 1"):
        leases.lease_gpus(1)


def test_a_folder_for_locks_that_cannot_be_used_is_named(machine, monkeypatch, tmp_path):
    machine(1)
    (tmp_path / "locks").write_text("no folder")
    with pytest.raises(
        UserError, match=f"locks, where jobs lock the GPUs.*by the environment variable {leases.FOLDER}"
    ):
        leases.lease_gpus(1)


def test_other_users_can_use_the_locks_from_the_moment_that_they_are_there(machine, monkeypatch, tmp_path):
    machine(1)
    folder = tmp_path / "of the disk" / "locks"
    monkeypatch.setenv(leases.FOLDER, str(folder))
    for name in ("chmod", "fchmod"):  # later is too late
        monkeypatch.setattr(os, name, lambda *_, **__: pytest.fail("changed afterwards"))
    before = os.umask(0o077)
    try:
        leases.lease_gpus(1)
        assert os.umask(0o077) == 0o077
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o7777 == 0o1777
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o666}
    assert folder.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("job", ["SLURM_JOB_ID", "PBS_JOBID"])
def test_what_a_batch_system_has_chosen_stays(machine, monkeypatch, tmp_path, job):
    machine(4)
    monkeypatch.setenv(job, "17")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    leases.lease_gpus(2)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2,3"
    assert not (tmp_path / "locks").exists()


def test_in_an_interactive_batch_job_each_gets_one_of_its_gpus(machine, monkeypatch):
    machine(4)
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    leases.lease_gpus(1)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2"


def test_the_processes_that_a_job_starts_see_its_gpus(machine, monkeypatch):
    machine(4)
    leases.lease_gpus(2)
    seen = os.environ["CUDA_VISIBLE_DEVICES"]
    leases.lease_gpus(2)  # a rank runs the same command
    assert os.environ["CUDA_VISIBLE_DEVICES"] == seen == ",".join(GPUS[:2])


def test_without_gpus_or_without_need_nothing_is_done(machine, monkeypatch, tmp_path, caplog):
    machine(2)
    leases.lease_gpus(0)
    machine(0)
    caplog.set_level("INFO")
    leases.lease_gpus(1)
    assert caplog.messages == ["1 GPU asked for, and none found here: going on without"]
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
    assert not (tmp_path / "locks").exists()


@pytest.mark.parametrize(("gpus", "slots", "places"), [(0, "1", 0), (2, "1", 2), (2, "3", 6)])
def test_the_machine_has_places_for_as_many_jobs_as_gpus_times_slots(machine, monkeypatch, gpus, slots, places):
    machine(gpus)
    monkeypatch.setenv(leases.SLOTS, slots)
    assert leases.gpu_places() == places


@pytest.mark.parametrize(("gpus", "slots", "places"), [(0, "1", None), (1, "1", 1), (3, "2", 6)])
def test_the_profile_of_a_workstation_counts_the_places(machine, monkeypatch, repo, gpus, slots, places):
    machine(gpus)
    monkeypatch.setenv(leases.SLOTS, slots)
    monkeypatch.setattr(sys, "argv", ["snakemake", "-c4"])
    monkeypatch.delenv("SNAKEMAKE_PROFILE", raising=False)
    profile = yte.process_yaml((repo / "profiles/default/config.yaml").read_text("utf-8"), require_use_yte=True)
    assert profile.get("resources", {}).get("gpu") == places


def test_the_profile_asks_for_no_gpus_where_another_is_taken(machine, monkeypatch, repo):
    machine(3)
    monkeypatch.setattr(sys, "argv", ["snakemake", "--profile", "profiles/slurm"])
    profile = yte.process_yaml((repo / "profiles/default/config.yaml").read_text("utf-8"), require_use_yte=True)
    assert "resources" not in profile
