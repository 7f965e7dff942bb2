"""What Lightning and torch do at each step besides training, taken away where it serves nobody here.

For a network whose step takes half a millisecond it is as long as the step itself (``benchmarks/steps.py``).
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from pytorch_lightning.profilers import PassThroughProfiler

_NOTHING = nullcontext()


class NoProfiler(PassThroughProfiler):
    """Profiles nothing, as Lightning's default does, without a generator for each of some fifty places in a step."""

    def profile(self, action_name: str) -> AbstractContextManager[None]:
        return _NOTHING


@contextmanager
def no_search_for_gpus(device: torch.device) -> Iterator[None]:
    """On a CPU, keeps each optimizer step from asking the driver anew which GPUs there are.

    Optimizers ask in every step whether a CUDA graph is being captured; where no GPU was ever used, torch
    remembers no answer and loads the driver's library each time.
    """
    name = "CUDA_VISIBLE_DEVICES"
    before = os.environ.get(name)
    if device.type == "cpu":
        os.environ[name] = ""
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before
