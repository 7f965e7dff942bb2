import json
import os

import pytest
from fake_tools import GPUS, list_of
from fake_tools import tools as tools

from snaketorch.doctor import devices
from snaketorch.doctor.devices import all_reduce, look_at_devices
from snaketorch.doctor.programs import Answer
from snaketorch.hardware.gpus import Gpus

A100 = {"name": "NVIDIA A100", "capability": "8.0", "memory": 40 * 2**30, "free": 39 * 2**30, "error": None}
TORCH = {"torch": "2.14.1+cu130", "cuda": "13.0", "hip": None, "available": True, "built_for": ["sm_80"], "gpus": []}


@pytest.fixture
def found(tools, monkeypatch):
    """What is found where torch says what it is told to, by what it is about."""

    def look(number: int = 0, answer: Answer | None = None, **facts):
        tools("nvidia-smi", list_of(*GPUS[:number]))
        said = answer or Answer(0, json.dumps(TORCH | facts), "")
        monkeypatch.setattr(devices, "ask_python", lambda *_, **__: said)
        return {finding.about: finding for finding in look_at_devices()}

    return look


def test_a_machine_without_a_gpu_is_well(found):
    findings = found(available=False)
    assert {finding.status for finding in findings.values()} == {"OK"}
    assert findings["all-reduce"].found == "not tried: it takes 2 GPUs, and torch sees 0"


def test_each_gpu_is_named_with_memory_and_capability(found):
    findings = found(1, gpus=[A100])
    assert findings["GPU 0"].found == "NVIDIA A100, 40 GiB, compute capability 8.0"
    assert findings["driver"].found.endswith("1 GPU for this process")


@pytest.mark.parametrize(("cuda", "advice"), [(None, "install a torch for GPUs"), ("13.0", "the driver is too old")])
def test_a_torch_that_sees_no_gpu_fails_with_the_reason(found, cuda, advice):
    torch = found(2, cuda=cuda, available=False)["torch"]
    assert torch.status == "FAIL"
    assert "sees none of 2 GPUs" in torch.found
    assert torch.advice.startswith(advice)


def test_a_gpu_that_cannot_compute_fails(found):
    gpu = found(1, gpus=[A100 | {"error": "CUDA error: no kernel image is available"}])["GPU 0"]
    assert gpu.status == "FAIL"
    assert "sm_80" in gpu.advice


def test_memory_that_others_use_is_told(found):
    gpu = found(1, gpus=[A100 | {"free": 30 * 2**30}])["GPU 0"]
    assert gpu.status == "WARN"
    assert gpu.found.endswith("10.0 GiB in use by others")


def test_a_torch_that_crashes_fails_with_its_last_words(found):
    torch = found(answer=Answer(-11, "", "Traceback\nImportError: libcudart.so.13 is missing\n"))["torch"]
    assert (torch.status, torch.found) == ("FAIL", "it does not work: ImportError: libcudart.so.13 is missing")


def test_a_driver_that_does_not_answer_fails(found, tools, monkeypatch, tmp_path):
    monkeypatch.setattr(devices, "DRIVER", tmp_path)
    monkeypatch.setattr(devices, "visible_gpus", lambda: Gpus("", ()))
    monkeypatch.setattr(devices, "ask", lambda *_, **__: Answer(9, "", "couldn't communicate with the driver"))
    driver = found(available=False)["driver"]
    assert (driver.status, driver.found) == ("FAIL", "nvidia-smi fails: couldn't communicate with the driver")


def test_a_list_of_gpus_that_are_not_there_is_told(found, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    driver = found(2, available=False)["driver"]
    assert (driver.status, driver.found) == ("WARN", "CUDA_VISIBLE_DEVICES=5, and no such GPU is found")


@pytest.mark.parametrize(("result", "status"), [(("180.5", ""), "OK"), (("", "no answer within 180 s"), "FAIL")])
def test_two_gpus_must_sum_up_together(found, monkeypatch, result, status):
    monkeypatch.setattr(devices, "all_reduce", lambda ranks, backend: result)
    finding = found(2, gpus=[A100, A100])["all-reduce"]
    assert finding.status == status
    assert any(part in finding.found for part in result if part)


def test_processes_sum_up_together():
    speed, why = all_reduce(2, "gloo")
    assert why == ""
    assert float(speed) > 0


def test_processes_that_do_not_answer_are_ended():
    assert all_reduce(2, "gloo", seconds=0.05) == ("", "no answer within 0 s")


def test_a_process_that_says_much_keeps_the_others_waiting_for_nothing(tmp_path, monkeypatch):
    # as the second of many does with NCCL_DEBUG=INFO
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nif sys.orig_argv[3:4] == ['1']:\n    sys.stderr.write('NCCL INFO\\n' * 20_000)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    assert all_reduce(2, "gloo")[1] == ""
