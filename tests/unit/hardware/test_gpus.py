"""Which GPUs there are, by fake tools of their vendors."""

import json

import pytest
from fake_tools import GPUS, PARTS, list_of
from fake_tools import tools as tools

from snaketorch.hardware.gpus import CUDA, HIP, visible_gpus


def words(driver, **environment: str) -> list[str]:
    return [gpu.word for gpu in visible_gpus(environment, driver).found]


def identities(driver, **environment: str) -> list[str]:
    return [gpu.identity for gpu in visible_gpus(environment, driver).found]


@pytest.fixture
def driver(tmp_path):
    return tmp_path / "proc"


def test_a_machine_without_gpus_has_none_whatever_a_list_says(tools, driver):
    assert words(driver) == words(driver, CUDA_VISIBLE_DEVICES="0,1") == []


def test_gpus_are_called_by_what_does_not_depend_on_their_order(tools, driver):
    tools("nvidia-smi", list_of(*GPUS[:3]))
    assert visible_gpus({}, driver).variable == CUDA
    assert words(driver) == GPUS[:3]


@pytest.mark.parametrize(
    ("visible", "kept"),
    [
        ("2,0", ["2", "0"]),
        (" 1 , 2", ["1", "2"]),
        (GPUS[1], [GPUS[1]]),
        ("GPU-cccc,GPU-a", ["GPU-cccc", "GPU-a"]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("0,-1,1", ["0"]),  # as the driver: what follows an unknown one is not seen
        ("1,7,0", ["1"]),
        ("0,0", ["0"]),
    ],
)
def test_a_list_that_was_set_before_is_respected_in_its_own_words(tools, driver, visible, kept):
    tools("nvidia-smi", list_of(*GPUS[:3]))
    assert words(driver, CUDA_VISIBLE_DEVICES=visible) == kept


def test_one_gpu_has_one_identity_however_it_is_called(tools, driver):
    tools("nvidia-smi", list_of(*GPUS[:3]))
    found = {name: identities(driver, CUDA_VISIBLE_DEVICES=name) for name in ("1", GPUS[1], "GPU-bbbb")}
    assert found == {name: [GPUS[1]] for name in found}
    assert identities(driver)[1] == GPUS[1]


def test_the_parts_of_a_gpu_are_gpus(tools, driver):
    tools("nvidia-smi", list_of(*GPUS[:2], parts={GPUS[0]: PARTS}))
    assert words(driver) == [*PARTS, GPUS[1]]
    assert words(driver, CUDA_VISIBLE_DEVICES=PARTS[1]) == [PARTS[1]]
    assert identities(driver, CUDA_VISIBLE_DEVICES=PARTS[1]) == [identities(driver)[1]]
    assert identities(driver, CUDA_VISIBLE_DEVICES="1") == [GPUS[1]]
    older = f"MIG-{GPUS[0]}/1/0"
    assert words(driver, CUDA_VISIBLE_DEVICES=older) == [older]


def test_without_the_tool_the_driver_tells_how_many_there_are(tools, driver):
    for bus in ("0000:17:00.0", "0000:65:00.0"):
        (driver / "gpus" / bus).mkdir(parents=True)
        (driver / "gpus" / bus / "information").write_text("Model: NVIDIA A100\n")
    assert words(driver) == ["0", "1"]
    assert words(driver, CUDA_VISIBLE_DEVICES="1") == ["1"]
    assert words(driver, CUDA_VISIBLE_DEVICES="GPU-abc") == ["GPU-abc"]
    tools("nvidia-smi", "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", 9)
    assert words(driver) == ["0", "1"]


def test_a_tool_without_a_gpu_finds_none(tools, driver):
    tools("nvidia-smi", "No devices were found", 6)
    assert words(driver) == []


def test_gpus_of_amd_are_chosen_by_their_own_variable(tools, driver):
    tools("rocm-smi", json.dumps({f"card{n}": {"Unique ID": f"0x{n}f"} for n in (0, 1, 10, 2)} | {"system": {}}))
    assert visible_gpus({}, driver).variable == HIP
    assert identities(driver) == ["hip-0x0f", "hip-0x1f", "hip-0x2f", "hip-0x10f"]
    assert words(driver, HIP_VISIBLE_DEVICES="3,1") == words(driver, CUDA_VISIBLE_DEVICES="3,1") == ["3", "1"]
    # the inner list counts what the outer one has left
    assert identities(driver, ROCR_VISIBLE_DEVICES="3,1", HIP_VISIBLE_DEVICES="1") == ["hip-0x1f"]
