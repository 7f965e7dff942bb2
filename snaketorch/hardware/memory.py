"""How much memory this process has used."""

import resource
import sys

import torch

MIB = 2**20


def peak_memory_mb(device: torch.device) -> float:
    """The most that was in use at once, in MiB: of the GPU's memory, or of the host's when it is the CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MIB
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB
