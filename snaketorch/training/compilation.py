"""``torch.compile``, asked for by the configuration."""

import os
import shutil

import torch
from torch import nn

from snaketorch.errors import UserError


def compile_network(network: nn.Module, device: torch.device) -> None:
    """Compiles ``network`` in place: its first steps take long, the names of its weights stay.

    Raises:
        UserError: when the device's compiler is not there.
    """
    if device.type == "cpu" and not any(map(shutil.which, (os.environ.get("CXX", ""), "g++", "clang++"))):
        raise UserError(
            "trainer.compile needs a C++ compiler to train on the CPU, and neither g++ nor clang++ is installed; "
            "allowed here: false"
        )
    if device.type == "cuda" and not torch.utils._triton.has_triton():
        raise UserError("trainer.compile needs Triton on this GPU, and it is not installed; allowed here: false")
    network.compile()
