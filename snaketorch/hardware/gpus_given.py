"""Whether PyTorch sees the GPUs that a training was given: a job may wait for GPUs, and train without."""

import logging
from collections.abc import Mapping

from snaketorch.errors import UserError
from snaketorch.hardware.gpus import CUDA, HIP
from snaketorch.launch.place import GPUS_ASKED
from snaketorch.state.batch_job import batch_job

log = logging.getLogger(__name__)

ALLOW_CPU = "SNAKETORCH_ALLOW_CPU"
"""Set to 1, it lets a training whose GPUs PyTorch does not see go on with the CPU."""
NONE = {"", "-1", "NoDevFiles"}
"""How a list of visible GPUs says that there are none."""


def check_gpus(accelerator: str, devices: int, found: int, environment: Mapping[str, str]) -> None:
    """Sees that each process of this machine has a GPU of its own, where GPUs are asked for.

    Args:
        accelerator: ``trainer.accelerator``.
        devices: ``trainer.devices``, the processes of this machine.
        found: GPUs that PyTorch sees.
        environment: Where the batch system says which GPUs it gave.

    Raises:
        UserError: there are fewer; or, with ``auto``, there should be some, by a list of them or by what the job asked
            its batch system for, and PyTorch sees none. A workstation without GPUs trains on its CPU.
    """
    if accelerator == "cpu" or found >= devices:
        return
    if found:
        raise UserError(
            f"trainer.devices: {devices}, but this machine shows {found} to the job; "
            "allowed here: as many, and resources.gpus to ask for them"
        )
    given, asked = given_gpus(environment), int(environment.get(GPUS_ASKED, "0"))
    if not given and not (asked and batch_job(environment)):
        if accelerator == "gpu":
            raise UserError(
                "trainer.accelerator is gpu, but this machine shows no GPU to the job; allowed here: auto, cpu"
            )
        return
    what = f"was given {_gpus(len(given))} ({', '.join(given)})" if given else f"asked for {_gpus(asked)}"
    unseen = (
        f"the job {what}, and PyTorch sees none: it may be built for another CUDA than the driver's; "
        "`python -m snaketorch doctor` tells"
    )
    if accelerator == "gpu":
        raise UserError(f"trainer.accelerator is gpu, and {unseen}; allowed here: auto, cpu")
    if asked and environment.get(ALLOW_CPU) != "1":
        raise UserError(f"{unseen}; allowed here: resources.gpus: 0, or {ALLOW_CPU}=1 to train on the CPU all the same")
    log.warning("Training on the CPU, though %s", unseen)


def _gpus(count: int) -> str:
    return f"{count} GPU{'s' * (count > 1)}"


def given_gpus(environment: Mapping[str, str]) -> list[str]:
    """The GPUs that a list in the environment names; none where there is no list."""
    words = environment.get(CUDA, environment.get(HIP, "")).split(",")
    return [word for word in (word.strip() for word in words) if word not in NONE]
