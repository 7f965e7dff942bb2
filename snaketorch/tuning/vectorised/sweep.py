"""Whether the trials of a sweep are trained side by side, and that training."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from snaketorch.config.alike import DROPOUT
from snaketorch.config.side_by_side import networks_of, reason_against
from snaketorch.data.manifest import Manifest
from snaketorch.hardware.allocator import keep_freed_memory
from snaketorch.launch.place import Place
from snaketorch.training.subject import device_of
from snaketorch.tuning.context import SweepContext
from snaketorch.tuning.diary import Diary
from snaketorch.tuning.ends import Ends
from snaketorch.tuning.vectorised.conductor import GROUPS, Conductor
from snaketorch.tuning.vectorised.probe import flaw_of

log = logging.getLogger(__name__)

LEAST_TRIALS = 8
"""That `auto` takes the trouble for."""
MOST_WORK = {"cpu": 2e7, "cuda": 2e9}
"""Operations of a forward pass, by the kind of device: beyond that networks keep it busy one after the other, or
beside each other in processes of their own. For a CPU see ``benchmarks/sweeps_vectorised.py``; a GPU was not timed."""


def can_vectorise(context: SweepContext) -> str | None:
    """Why the trials of a sweep are not to be trained side by side; None when they are.

    Where the experiment asks for it, only what makes it impossible counts; else also what makes it pointless.
    """
    spec, room = context.spec, context.room
    # what an earlier attempt has begun so goes on so, whatever room this one has
    is_wanted = spec.tune.vectorise is True or (context.folder / GROUPS).is_dir()
    if not is_wanted and spec.tune.num_samples is not None and spec.tune.num_samples < LEAST_TRIALS:
        return f"{spec.tune.num_samples} trials are too few for it to pay"
    if reason := reason_against(spec, room.num_nodes):
        return reason
    device, dataset = device_of(spec.trainer, Place()), Manifest.load(context.manifest)
    tunes_dropout = not spec.tune.space.keys().isdisjoint(("model", f"model.{DROPOUT}"))
    with _settings(context), _quietly():
        for network in networks_of(spec):
            flaw, work = flaw_of(network, dataset, device, tunes_dropout)
            if flaw:
                return flaw
            if not is_wanted and work * room.at_once > MOST_WORK[device.type]:
                count = "a training" if room.at_once == 1 else f"{room.at_once} trainings at one time"
                return f"{count} of {work:.2g} operations a step keep the device busy"
    return None


def train_side_by_side(context: SweepContext, diary: Diary, ends: Ends) -> dict[str, Any]:
    """Trains until there are no more trials or the sweep ends; gives what the record says of how."""
    with _settings(context):
        conductor = Conductor(context, diary, ends)
        conductor.run()
    return {
        "engine": "vectorised",
        "at_once": conductor.most_rows,
        "groups": conductor.groups,
        "precision": "32-true",
    }


@contextmanager
def _settings(context: SweepContext) -> Iterator[None]:
    """Torch as in a training by itself; whoever has more work for threads says so."""
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    deterministic, fast_path = torch.are_deterministic_algorithms_enabled(), torch.backends.mha.get_fastpath_enabled()
    if context.spec.trainer.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when the GPU is first used
    keep_freed_memory()
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("high")
    torch.use_deterministic_algorithms(context.spec.trainer.deterministic)
    torch.backends.mha.set_fastpath_enabled(False)  # which knows no rows
    try:
        with sdpa_kernel(SDPBackend.MATH):  # the other ways of attention go from row to row
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(precision)
        torch.use_deterministic_algorithms(deterministic)
        torch.backends.mha.set_fastpath_enabled(fast_path)


@contextmanager
def _quietly() -> Iterator[None]:
    """Nothing of what a training says of its data: it is only tried."""
    package = logging.getLogger("snaketorch")
    level = package.level
    package.setLevel(logging.WARNING)
    try:
        yield
    finally:
        package.setLevel(level)
