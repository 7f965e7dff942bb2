from pathlib import Path

import pytest

from snaketorch.doctor import machine
from snaketorch.doctor.machine import cpu_quota, look_at_machine


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


@pytest.fixture
def group(tmp_path):
    """A file that says in which control group this process is."""
    (tmp_path / "own").write_text("0::/slurm/job_1/step_0\n")
    return tmp_path / "own"


def test_the_tightest_group_above_counts(tmp_path, group):
    job = tmp_path / "slurm/job_1"
    write(job / "step_0", **{"cpu.max": "max 100000\n"})
    write(job, **{"cpu.max": "250000 100000\n"})
    write(tmp_path / "slurm", **{"cpu.max": "800000 100000\n"})
    assert cpu_quota(tmp_path, group) == 2.5


def test_groups_of_version_1_count_too(tmp_path):
    (tmp_path / "own").write_text("3:memory:/docker\n2:cpu,cpuacct:/docker/a\n1:cpuset:/\n")
    write(tmp_path / "cpu,cpuacct/docker/a", **{"cpu.cfs_quota_us": "150000", "cpu.cfs_period_us": "100000"})
    write(tmp_path / "cpu,cpuacct/docker", **{"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"})
    assert cpu_quota(tmp_path, tmp_path / "own") == 1.5


def test_no_quota_is_none(tmp_path, group):
    write(tmp_path / "slurm/job_1/step_0", **{"cpu.max": "max 100000\n"})
    assert cpu_quota(tmp_path, group) is None
    assert cpu_quota(tmp_path, tmp_path / "nothing") is None


def test_a_quota_below_the_cores_seen_comes_with_the_right_option(monkeypatch):
    monkeypatch.setattr(machine, "cpu_quota", lambda *_: 2.5)
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: set(range(64)))
    cores = next(look_at_machine())
    assert (cores.status, cores.found) == ("WARN", "64, of which the control group gives the time of 2.5")
    assert cores.advice.startswith("`snakemake -c2`")


@pytest.mark.parametrize(("limit", "status"), [(2048.0, "WARN"), (None, "OK")])
def test_little_memory_is_told(monkeypatch, limit, status):
    monkeypatch.setattr(machine, "memory_limit_mb", lambda: limit)
    monkeypatch.setattr(machine, "_lines", lambda path: ["MemTotal:  16777216 kB", "MemAvailable: 8388608 kB"])
    memory = machine._memory()
    assert memory.status == status
    assert memory.found.startswith("2.0 GiB, which the batch" if limit else "16.0 GiB; 8.0 GiB free now")
