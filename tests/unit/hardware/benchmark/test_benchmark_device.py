"""``python -m snaketorch benchmark-device``: what is measured, what it is compared with, what is kept."""

import json
import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from fake_tools import tools as tools

from snaketorch import __main__ as command_line
from snaketorch.config.gpu_at_hand import gpu_at_hand
from snaketorch.config.gpus import catalogue
from snaketorch.hardware import precision
from snaketorch.hardware.benchmark import arithmetic, measure, movement, run, stopwatch
from snaketorch.hardware.benchmark.compare import efficiencies
from snaketorch.hardware.benchmark.formats import computing_in, formats_of
from snaketorch.hardware.benchmark.stopwatch import Stopwatch, doubled
from snaketorch.hardware.benchmark.table import table
from snaketorch.hardware.meters.reading import Reading
from snaketorch.launch.place import GPUS_ASKED

CPU = torch.device("cpu")
MEASURED = {
    "matmul_tflops": {"fp32": 18.0, "tf32": 109.2, "bf16": 249.6, "fp16": 260.0},
    "bandwidth_gbs": 1835.1,
    "copy_gbs": {"to": 24.6, "from": 25.1},
    "launch_us": 4.2,
    "conv_tflops": 156.0,
    "lstm_tflops": None,
    "trained_in": "bf16",
}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(measure, "QUICK_SECONDS", 0.001)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv(GPUS_ASKED, "0")  # so that what the command says there is gone after the test
    for module, name, value in ((arithmetic, "STAGES", ((4, 8), (8, 4))), (movement, "MIB", 2**12)):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(Stopwatch, "is_long", lambda self, work: True)  # the smallest of everything
    return tmp_path


def test_a_cpu_is_measured_and_has_nothing_to_be_compared_with(folder, capsys):
    assert command_line.main(["benchmark-device", "--quick", "--threads", "1"]) == 0

    said = capsys.readouterr().out
    (path,) = (folder / "state/devices").iterdir()
    kept = json.loads(path.read_text())
    assert kept["device"] in said and f"Kept in state/devices/{path.name}." in said
    assert "nothing to compare with" in said and "reached" not in said
    assert {name: kept[name] for name in ("gpu", "catalogue", "driver")} == dict.fromkeys(
        ("gpu", "catalogue", "driver")
    )
    assert kept["efficiencies"] == {} and kept["type"] == "cpu" and kept["quick"] is True
    measured = kept["measured"]
    assert measured.keys() == MEASURED.keys()
    assert measured["copy_gbs"] is None and measured["trained_in"] == "fp32"
    rates = [*measured["matmul_tflops"].values(), *(measured[f"{name}_tflops"] for name in ("conv", "lstm"))]
    assert "fp32" in measured["matmul_tflops"]
    assert all(rate > 0 for rate in [*rates, measured["bandwidth_gbs"], measured["launch_us"]])


def test_programs_are_told_the_file(folder, capsys, monkeypatch):
    monkeypatch.setattr(run, "measure", lambda device, quick: MEASURED)
    assert command_line.main(["benchmark-device", "--json", "--threads", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["measured"] == MEASURED


@pytest.mark.parametrize("threads", ["0", "-1", "many"])
def test_threads_are_counted(folder, capsys, threads):
    with pytest.raises(SystemExit):
        command_line.main(["benchmark-device", f"--threads={threads}"])
    assert f"'{threads}' is not possible; allowed: a whole number above 0" in capsys.readouterr().err


def test_a_gpu_is_compared_with_its_row_of_the_catalogue(folder, capsys, monkeypatch, tools, caplog):
    facts = type("Facts", (), {"total_memory": 79.3 * 2**30, "name": "NVIDIA A100-SXM4-80GB"})
    leased = []
    tools("nvidia-smi", "580.95.05")
    monkeypatch.setattr(command_line, "lease_gpus", leased.append)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: facts)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: facts.name)
    monkeypatch.setattr(run, "measure", lambda device, quick: MEASURED)
    monkeypatch.setattr(run, "meter_of", lambda device: lambda: Reading(0.8, 300.0))

    with caplog.at_level(logging.WARNING):
        assert command_line.main(["benchmark-device", "--threads", "1"]) == 0

    assert leased == [1], "alone"
    kept = json.loads((folder / "state/devices/NVIDIA-A100-SXM4-80GB.json").read_text())
    assert kept["gpu"] == "A100 SXM4 80GB"
    assert kept["catalogue"]["tflops"]["bf16"] == 312
    assert kept["efficiencies"] == {
        "matmul": {"fp32": 0.9231, "tf32": 0.7, "bf16": 0.8, "fp16": 0.8333},
        "conv": 0.5,
        "bandwidth": 0.9,
    }
    assert kept["driver"] == "580.95.05"
    lines = {line[:28].strip(): line[28:].split() for line in capsys.readouterr().out.splitlines()}
    assert lines["matrix product, BF16"] == ["250", "TFLOPS", "312", "80%"]
    assert lines["LSTM, training"] == ["-", "TFLOPS", "312", "-"]
    assert lines["copy to the device"] == ["24.6", "GB/s", "-", "-"]
    assert "at work for others (80 %)" in caplog.text


@pytest.mark.parametrize(
    ("name", "memory_gb", "row"),
    [
        ("NVIDIA A100-SXM4-40GB", 39.4, "A100 SXM4 40GB"),
        ("Tesla V100-PCIE-32GB", 31.7, "Tesla V100 PCIe 32GB"),
        ("NVIDIA GeForce RTX 3090", 23.7, "GeForce RTX 3090"),
        ("NVIDIA H200", 139.8, "H200"),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", 4.75, None),
        ("Voodoo 2", 0.01, None),
    ],
)
def test_drivers_names_are_found_in_the_catalogue(name, memory_gb, row):
    found = gpu_at_hand(name, memory_gb, catalogue())
    assert (found and found.name) == (row and next(known for known in catalogue() if known.startswith(row)))


def test_what_is_faster_than_the_catalogue_says_counts_as_one():
    gpu = catalogue()["A100 SXM4 80GB"]
    fast = MEASURED | {"matmul_tflops": {"bf16": 400.0}, "bandwidth_gbs": None}
    assert efficiencies(fast, gpu) == {"matmul": {"bf16": 1.0}, "conv": 0.5}
    assert "128%" in table("x", fast, gpu)


def test_what_a_device_cannot_do_is_left_out_and_named(folder, monkeypatch, caplog):
    def fails(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.\nand more")

    monkeypatch.setattr(measure, "conv_tflops", fails)
    monkeypatch.setattr(measure, "matmul_tflops", fails)
    found = measure.measure(CPU, quick=True)
    assert found["conv_tflops"] is None and found["matmul_tflops"] == {}
    assert "Not measured: convolutions: CUDA out of memory." in caplog.text
    assert "and more" not in caplog.text
    assert table("x", found, None)


def test_arithmetic_is_counted_in_two_operations_for_a_multiply_add(folder, monkeypatch):
    monkeypatch.setattr(Stopwatch, "seconds", lambda self, work: 1.0)
    assert arithmetic.matmul_tflops(Stopwatch(CPU, 0.0), "fp32") == pytest.approx(2 * 512**3 / 1e12)
    assert arithmetic.lstm_tflops(Stopwatch(CPU, 0.0), "fp32") == pytest.approx(6 * 32 * 32 * 8 * 128**2 / 1e12)
    convolutions = 6 * 9 * 2 * (4**2 * 8**2 + 8**2 * 4**2) / 2  # batches of 2, in half a second each
    assert arithmetic.conv_tflops(Stopwatch(CPU, 0.0), "fp32") == pytest.approx(convolutions / 1e12)


def test_a_stopwatch_gives_the_seconds_of_one_piece_of_work(monkeypatch):
    now, calls = 0.0, []

    def work():
        nonlocal now
        calls.append(now)
        now += 0.001 if len(calls) % 10 else 0.1  # now and then the machine does something else

    monkeypatch.setattr(stopwatch, "time", SimpleNamespace(perf_counter=lambda: now))
    seconds = Stopwatch(CPU, 0.01).seconds(work)
    assert len(calls) == 2 + 5 * 2  # two to see how long it takes, and as many in each of five windows as fit
    assert seconds == pytest.approx(0.001)
    assert list(doubled(2, 16)) == [2, 4, 8, 16]


def test_formats_are_those_of_the_device_and_settings_are_put_back(monkeypatch):
    torch.set_float32_matmul_precision("high")
    before = torch.backends.cudnn.allow_tf32
    with computing_in("fp32") as dtype:
        assert dtype == torch.float32
        assert torch.get_float32_matmul_precision() == "highest" and not torch.backends.cudnn.allow_tf32
    assert torch.get_float32_matmul_precision() == "high" and torch.backends.cudnn.allow_tf32 == before
    gpu = torch.device("cuda", 0)
    monkeypatch.setattr(torch.version, "hip", None)
    for capability, found in (((7, 0), ["fp32", "bf16", "fp16"]), ((8, 0), ["fp32", "tf32", "bf16", "fp16"])):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device, found=capability: found)
        assert formats_of(gpu) == found
    assert formats_of(CPU)[0] == "fp32" and precision.native_precisions(CPU) is not None


def test_files_of_devices_have_names_that_every_disk_takes():
    assert run.file_of("NVIDIA GeForce RTX 3090").name == "NVIDIA-GeForce-RTX-3090.json"
    assert run.file_of("Intel(R) Xeon(R) @ 2.2GHz/8").name == "Intel-R-Xeon-R-2.2GHz-8.json"
    assert run.file_of("../..").name == "device.json"
