import logging

import numpy as np
import pytest
import torch

from snaketorch.config.trainer import DataLoader
from snaketorch.data.loading import placement
from snaketorch.data.loading.host_memory import free_host_memory
from snaketorch.data.loading.placement import choose_placement
from snaketorch.data.loading.samples import ArraySamples, samples_from
from snaketorch.errors import UserError

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
DATA = [ArraySamples({"x": torch.zeros(size, dtype=torch.uint8)}) for size in (900, 100)]


def choose(monkeypatch, device=CPU, shuffle=None, host=10_000, gpu=10_000, **options):
    monkeypatch.setattr(placement, "free_host_memory", lambda: host)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (gpu, gpu))
    return choose_placement(DataLoader(**options), DATA, device, shuffle)


@pytest.mark.parametrize(
    ("gpu", "host", "expected"),
    [(2000, 10, "device"), (1999, 2000, "host"), (1999, 1999, "memory_map")],
)
def test_auto_takes_the_first_place_that_has_room(monkeypatch, gpu, host, expected):
    chosen = choose(monkeypatch, CUDA, gpu=gpu, host=host)
    assert (chosen.placement, chosen.bytes) == (expected, 1000)
    assert chosen.shuffle == ("blocks" if expected == "memory_map" else "full")


def test_the_device_of_a_cpu_is_the_host(monkeypatch):
    assert choose(monkeypatch, host=2000).placement == "device"
    assert choose(monkeypatch, host=1999).placement == "memory_map"
    assert choose(monkeypatch, host=1999, memory_share=0.9).placement == "device"


def test_what_is_asked_for_is_obeyed_beyond_the_share_but_not_beyond_the_memory(monkeypatch):
    for place in ("device", "host"):
        assert choose(monkeypatch, host=1001, placement=place).placement == place
        with pytest.raises(UserError, match=rf"placement: {place}: the samples take 1000 bytes, .* 999 bytes free"):
            choose(monkeypatch, host=999, placement=place)
    assert choose(monkeypatch, placement="memory_map").shuffle == "blocks"


def test_a_training_keeps_the_kind_of_order_that_it_began_with(monkeypatch, caplog):
    assert choose(monkeypatch, shuffle="blocks").shuffle == "blocks"
    assert choose(monkeypatch, host=10, shuffle="full").shuffle == "full"
    assert "keeps it" in caplog.text


def test_the_choice_is_one_line_in_the_log(monkeypatch, caplog):
    with caplog.at_level(logging.INFO):
        choose(monkeypatch, host=100)
    (line,) = caplog.messages
    assert line == (
        "Samples lie in the files on disk (1000 bytes is more than 50% of the 100 bytes that host memory has free), "
        "shuffled in blocks"
    )


def test_placed_samples_leave_the_memory_map_and_no_thread_serves_those_on_the_device(monkeypatch, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(4))
    mapped = samples_from({"x": np.load(tmp_path / "x.npy", mmap_mode="r")})
    address = mapped.fields["x"].data_ptr()
    for place, moves, reads in (("device", True, False), ("host", True, True), ("memory_map", False, True)):
        chosen = choose(monkeypatch, placement=place)
        placed = chosen.place(mapped, CPU)
        assert (placed.fields["x"].data_ptr() != address) == moves
        assert chosen.reads_ahead_for(CPU) == (CPU if reads else None)
        assert torch.equal(placed.batch(torch.tensor([3]))["x"], torch.tensor([3]))


def test_samples_in_the_memory_of_a_gpus_host_are_an_ordinary_copy(monkeypatch, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(4))
    mapped = samples_from({"x": np.load(tmp_path / "x.npy", mmap_mode="r")})
    placed = choose(monkeypatch, CUDA, placement="host").place(mapped, CUDA).fields["x"]
    assert placed.device == CPU
    assert placed.data_ptr() != mapped.fields["x"].data_ptr()
    assert not placed.is_pinned()


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content)


@pytest.fixture
def proc(tmp_path):
    write(tmp_path / "proc", meminfo="MemTotal: 9000 kB\nMemAvailable:    8000 kB\n")
    return tmp_path / "proc"


def test_free_memory_is_that_of_the_machine_where_no_group_limits_it(proc, tmp_path):
    assert free_host_memory(proc, tmp_path / "none") == 8000 * 1024


def test_the_tightest_control_group_around_the_process_limits_it(proc, tmp_path):
    groups = tmp_path / "groups"
    write(proc / "self", cgroup="0::/job/step\n")
    write(groups / "job", memory__max="5000\n", memory__current="4000\n", memory__stat="anon 1\ninactive_file 700\n")
    write(groups / "job/step", memory__max="max\n", memory__current="4000\n", memory__stat="inactive_file 0\n")
    assert free_host_memory(proc, groups) == 5000 - 4000 + 700


def test_groups_of_the_first_version_count_too(proc, tmp_path):
    groups = tmp_path / "groups"
    write(proc / "self", cgroup="4:cpu,cpuacct:/\n3:memory:/of/the/host\n0::/\n")
    write(
        groups / "memory",
        memory__limit_in_bytes="6000\n",
        memory__usage_in_bytes="7000\n",
        memory__stat="total_inactive_file 1500\n",
    )
    assert free_host_memory(proc, groups) == 500
