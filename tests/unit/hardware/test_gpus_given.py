import pytest

from snaketorch.errors import UserError
from snaketorch.hardware.gpus_given import check_gpus, given_gpus


@pytest.mark.parametrize(
    ("environment", "given"),
    [
        ({}, []),
        ({"CUDA_VISIBLE_DEVICES": ""}, []),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, []),
        ({"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, []),
        ({"CUDA_VISIBLE_DEVICES": "0,3"}, ["0", "3"]),
        ({"HIP_VISIBLE_DEVICES": "1"}, ["1"]),
    ],
)
def test_a_list_of_visible_gpus_says_which_were_given(environment, given):
    assert given_gpus(environment) == given


@pytest.mark.parametrize("accelerator", ["auto", "gpu"])
def test_as_many_gpus_as_processes_are_enough_and_more_do_no_harm(accelerator, caplog):
    for found in (2, 4):
        check_gpus(accelerator, 2, found, {"CUDA_VISIBLE_DEVICES": "0,1"})
    assert not caplog.text


@pytest.mark.parametrize("accelerator", ["auto", "gpu"])
def test_fewer_gpus_than_processes_are_refused(accelerator):
    with pytest.raises(UserError, match="devices: 4, but this machine shows 2 to the job"):
        check_gpus(accelerator, 4, 2, {"CUDA_VISIBLE_DEVICES": "0,1"})


GIVEN = {"CUDA_VISIBLE_DEVICES": "0,1"}
ASKED = {"SNAKETORCH_GPUS_ASKED": "2"}


def test_gpus_that_were_given_and_that_torch_does_not_see_are_told():
    with pytest.raises(UserError, match=r"was given 2 GPUs \(0, 1\), and PyTorch sees none.*allowed here: auto, cpu"):
        check_gpus("gpu", 2, 0, GIVEN)


@pytest.mark.parametrize(
    ("environment", "what"), [(GIVEN, r"was given 2 GPUs \(0, 1\)"), ({"SLURM_JOB_ID": "7"}, "asked for 2 GPUs")]
)
def test_a_job_that_asked_for_gpus_does_not_train_on_the_cpu_unless_it_may(environment, what, caplog):
    with pytest.raises(UserError, match=f"{what}, and PyTorch sees none.*SNAKETORCH_ALLOW_CPU=1"):
        check_gpus("auto", 2, 0, environment | ASKED)
    check_gpus("auto", 2, 0, environment | ASKED | {"SNAKETORCH_ALLOW_CPU": "1"})
    assert "Training on the CPU, though the job" in caplog.text


def test_a_workstation_without_gpus_trains_on_its_cpu(caplog):
    check_gpus("auto", 2, 0, ASKED)
    assert not caplog.text


def test_gpus_that_nobody_asked_for_are_only_missed(caplog):
    check_gpus("auto", 1, 0, GIVEN)
    assert "Training on the CPU, though the job was given 2 GPUs (0, 1)" in caplog.text


def test_no_gpu_is_an_error_only_where_one_is_asked_for(caplog):
    with pytest.raises(UserError, match="shows no GPU to the job"):
        check_gpus("gpu", 1, 0, {})
    for accelerator in ("auto", "cpu"):
        check_gpus(accelerator, 2, 0, {})
    check_gpus("cpu", 1, 0, {"CUDA_VISIBLE_DEVICES": "0"})
    assert not caplog.text
