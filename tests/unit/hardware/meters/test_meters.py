"""Meters of GPUs by the tools of their vendors, of which none may be there, or say nothing that can be understood."""

import json
import sys
import threading
import time
from types import SimpleNamespace

import pytest
import torch
from fake_tools import GPUS
from fake_tools import tools as tools

from snaketorch.hardware.meters import sampler
from snaketorch.hardware.meters.amd import amd_smi, rocm_smi
from snaketorch.hardware.meters.choose import meter_of
from snaketorch.hardware.meters.nvidia import nvidia_smi, nvml
from snaketorch.hardware.meters.reading import Reading
from snaketorch.hardware.meters.sampler import Load, Sampler

BUS = "0000:03:00.0"
GPU = torch.device("cuda", 0)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("87, 253.11", Reading(0.87, 253.11)),
        ("0, [N/A]", Reading(0.0, None)),
        ("12, [Not Supported]", Reading(0.12, None)),
        ("[N/A], 61.20", None),  # a part of a GPU: the power is that of the whole
        ("No devices were found", None),
        ("", None),
    ],
)
def test_nvidias_tool_is_understood_or_says_nothing(tools, said, found):
    tools("nvidia-smi", said)
    assert nvidia_smi(GPUS[0]) == found


def test_a_tool_that_fails_or_is_not_there_says_nothing(tools):
    assert nvidia_smi(GPUS[0]) is None
    assert amd_smi(BUS) is None and rocm_smi(BUS) is None
    tools("nvidia-smi", "87, 253.11", code=9)
    assert nvidia_smi(GPUS[0]) is None


QUANTITY = {
    "usage": {"gfx_activity": {"value": 45, "unit": "%"}},
    "power": {"socket_power": {"value": 190, "unit": "W"}},
}
PLAIN = {"usage": {"gfx_activity": 45}, "power": {"average_socket_power": 190}}
UNTOLD = {"usage": "N/A", "power": {"socket_power": "N/A"}}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ([QUANTITY], Reading(0.45, 190.0)),
        ({"gpu_data": [QUANTITY]}, Reading(0.45, 190.0)),
        ([PLAIN], Reading(0.45, 190.0)),
        ([UNTOLD], None),
        ([], None),
        ({"error": "x"}, None),
        ("no JSON at all", None),
    ],
)
def test_amds_tool_is_understood_in_each_of_its_forms(tools, said, found):
    tools("amd-smi", json.dumps(said))
    assert amd_smi(BUS) == found


def test_amds_older_tool_tells_of_the_gpu_that_is_asked_for(tools):
    cards = {
        "card0": {"GPU use (%)": "3", "Average Graphics Package Power (W)": "20.0", "PCI Bus": "0000:01:00.0"},
        "card1": {
            "Max Graphics Package Power (W)": "300.0",
            "Current Socket Graphics Package Power (W)": "250.5",
            "GPU use (%)": "99",
            "PCI Bus": "0000:03:00.0",
        },
        "system": {"Driver version": "6.8"},
    }
    tools("rocm-smi", json.dumps(cards))
    assert rocm_smi(BUS) == Reading(0.99, 250.5)
    assert rocm_smi("0000:05:00.0") is None


class NVMLError(Exception):
    """As pynvml's."""


@pytest.fixture
def library(monkeypatch):
    """A module pynvml of which single functions can be replaced."""
    module = SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda uuid: uuid,
        nvmlDeviceGetUtilizationRates=lambda handle: SimpleNamespace(gpu=50, memory=9),
        nvmlDeviceGetPowerUsage=lambda handle: 120_500,
    )
    monkeypatch.setitem(sys.modules, "pynvml", module)
    return module


def not_supported(*_):
    raise NVMLError("Not Supported")


def test_nvml_is_read_where_its_module_is_installed(library):
    assert nvml(GPUS[0])() == Reading(0.5, 120.5)
    library.nvmlDeviceGetPowerUsage = not_supported
    assert nvml(GPUS[0])() == Reading(0.5, None)
    library.nvmlDeviceGetUtilizationRates = not_supported
    assert nvml(GPUS[0])() is None


@pytest.mark.parametrize("name", ["nvmlInit", "nvmlDeviceGetHandleByUUID"])
def test_nvml_without_a_driver_or_such_a_gpu_is_no_meter(library, name):
    setattr(library, name, not_supported)
    assert nvml(GPUS[0]) is None


def test_nvml_without_its_module_is_no_meter(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert nvml(GPUS[0]) is None


@pytest.fixture
def gpu(tools, monkeypatch):
    """A GPU that torch would see."""
    facts = SimpleNamespace(uuid=GPUS[0].removeprefix("GPU-"), pci_domain_id=0, pci_bus_id=3, pci_device_id=0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: facts)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    return facts


def test_a_gpu_has_the_meter_whose_tool_answers(gpu, tools, monkeypatch):
    assert meter_of(GPU) is None
    tools("nvidia-smi", "87, 253.11")
    assert meter_of(GPU)() == Reading(0.87, 253.11)
    monkeypatch.setattr(torch.version, "hip", "6.4")
    assert meter_of(GPU) is None
    tools("rocm-smi", json.dumps({"card0": {"GPU use (%)": "7", "PCI Bus": BUS}}))
    assert meter_of(GPU)() == Reading(0.07, None)
    tools("amd-smi", json.dumps([QUANTITY]))
    assert meter_of(GPU)() == Reading(0.45, 190.0)


def test_a_gpu_that_torch_tells_nothing_of_and_a_cpu_have_none(gpu):
    assert meter_of(torch.device("cpu")) is None
    del gpu.uuid
    assert meter_of(GPU) is None


def test_readings_stand_for_the_time_before_them():
    load = Load().with_reading(Reading(0.5, 100.0), 2.0).with_reading(Reading(1.0, None), 2.0)
    assert load.utilisation == 0.75
    assert load.watts == 100.0
    assert (load + load).joules == 400.0
    assert Load().utilisation is None and Load().watts is None


@pytest.fixture
def often(monkeypatch):
    monkeypatch.setattr(sampler, "PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(sampler, "TIMES_ITS_COST", 0)


def ended(meter: Sampler) -> bool:
    meter._thread.join(60)
    return not meter._thread.is_alive()


def test_a_meter_is_read_until_it_is_stopped(often):
    enough = threading.Event()
    left = iter(range(5))

    def read() -> Reading:
        if next(left, None) is None:
            enough.set()
        return Reading(0.25, 80.0)

    meter = Sampler(lambda: read)
    meter.start()
    assert enough.wait(60)
    meter.stop()
    assert ended(meter)
    assert meter.load.utilisation == pytest.approx(0.25)
    assert meter.load.watts == pytest.approx(80.0)


@pytest.mark.parametrize("fault", [ValueError("x"), MemoryError(), None])
def test_a_meter_that_fails_is_given_up_and_nobody_hears_of_it(often, fault):
    read = []

    def fail() -> None:
        read.append(time.monotonic())
        if fault:
            raise fault

    meter = Sampler(lambda: fail)
    meter.start()
    assert ended(meter)
    assert len(read) == (1 if fault else sampler.FAILURES)
    assert meter.load == Load()


def test_no_meter_is_no_error_and_an_ending_does_not_wait_for_one_that_hangs(often):
    none = Sampler(lambda: None)
    none.start()
    assert ended(none)
    begun, hangs = threading.Event(), threading.Event()

    def read() -> Reading:
        begun.set()
        hangs.wait(60)
        return Reading(1.0, 1.0)

    meter = Sampler(lambda: read)
    meter.start()
    assert begun.wait(60)
    meter.stop()
    assert meter._thread.is_alive(), "it still hangs, and nobody has waited for it"
    hangs.set()
    assert ended(meter)
    assert meter.load == Load()
