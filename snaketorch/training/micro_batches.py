"""A batch computed in parts when the device's memory does not hold all of it.

The batch itself stays what it is: the order of the samples, the seeds of the steps, schedules, counters and the
places of checkpoints do not change, and the gradients of the parts add up to those of the whole batch. Two things
differ. Batch normalisation takes the statistics of each part, and dropout draws for each part.
"""

import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar

from pytorch_lightning import Callback, LightningModule, Trainer
from torch import nn

from snaketorch.errors import OutOfMemory
from snaketorch.hardware.out_of_memory import free_memory, in_short, is_out_of_memory, let_go
from snaketorch.publish import write_json
from snaketorch.tasks.base import TaskModule
from snaketorch.tasks.parts import Room
from snaketorch.tasks.peers import ALONE, Peers
from snaketorch.training.batch_normalization import normalises_by_batch
from snaketorch.training.data import VALIDATION_FACTOR, Data

log = logging.getLogger(__name__)

Phase = Literal["training", "validation"]
T = TypeVar("T")

REMEMBERED = "micro_batches.json"
ADVICE = (
    "use trainer.gradient_checkpointing: true, trainer.precision: bf16-mixed, smaller samples (a shorter window, "
    "smaller images), a smaller model (fewer channels or layers), or a GPU with more memory"
)


class MicroBatches:
    """How many parts the batches of a training are computed in; remembered in the folder of its live state."""

    def __init__(self, folder: Path, peers: Peers = ALONE):
        self.peers = peers
        self.path = folder / REMEMBERED
        self.sizes: dict[Phase, int] = {}
        self.factors: dict[Phase, int] = {"training": 1, "validation": 1}
        self.why: str | None = None
        self.least = 1
        self.phase: Phase | None = None
        # one asks for all: a node may see an older state of a shared folder, and all must compute in as many parts
        if found := peers.of_first(self._remembered):
            self.factors, self.why = {phase: found[phase] for phase in self.factors}, found["why"]

    def fit(self, attempt: Callable[[], T]) -> T:
        """What ``attempt`` gives; each time that the memory ends in a step, another one computes half as much at once.

        Raises:
            OutOfMemory: The memory does not hold one sample, or ended outside the steps; or, where several processes
                train together, another attempt of all of them has to be made.
        """
        while True:
            self.phase = None
            try:
                return attempt()
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                told = in_short(error)
                let_go(error)
            free_memory()
            self._halve(told)
            if not self.peers.is_alone:  # the others wait for this one in the middle of a step
                raise OutOfMemory(
                    f"the device's memory does not hold {self.phase} on a batch ({told}); the next attempt goes on "
                    f"from the last checkpoint, in parts of at most {self._most(self.phase)} samples"
                )

    def watch(self, task: TaskModule, learnable: Iterable[nn.Parameter], batch_sizes: dict[Phase, int]) -> Callback:
        """Has ``task`` compute its batches in parts; the callback sees where the memory ends."""
        self.sizes, self.least = batch_sizes, 2 if normalises_by_batch(task.network, learnable) else 1
        most = {phase: self._most(phase) if factor > 1 else None for phase, factor in self.factors.items()}
        task.room = Room(**most, least=self.least)
        return _Watch(self)

    def record(self) -> dict[str, Any] | None:
        """For the record; None where every batch was computed at once."""
        if self.why is None:
            return None
        return {"factor": self.factors["training"], "validation_factor": self.factors["validation"], "why": self.why}

    def _remembered(self) -> dict[str, Any] | None:
        return json.loads(self.path.read_text("utf-8")) if self.path.exists() else None

    def _most(self, phase: Phase) -> int:
        return -(-self.sizes[phase] // self.factors[phase])

    def _halve(self, told: str) -> None:
        phase = self.phase
        if phase is None:
            raise OutOfMemory(f"the device's memory ended before the first step ({told}); {ADVICE}")
        if self._most(phase) <= (self.least if phase == "training" else 1):
            what = "1 sample" if self._most(phase) == 1 else f"{self._most(phase)} samples"
            raise OutOfMemory(f"the device's memory does not hold {phase} on {what} at a time ({told}); {ADVICE}")
        self.why = f"{phase} on {self._most(phase)} samples at once: {told}"
        self.factors[phase] *= 2
        write_json(self.path, {**self.factors, "why": self.why})
        log.warning(
            "The device's memory does not hold %s on a batch (%s). Going on from the last checkpoint: batches stay as "
            "they are, and are computed in parts of at most %d samples",
            phase,
            told,
            self._most(phase),
        )


def largest_batches(data: Data, batch_size: int) -> dict[Phase, int]:
    """Samples in the largest batches, but for a rest that joins one."""
    training, validation = (len(data.splits[split]) for split in ("train", "val"))
    return {"training": min(batch_size, training), "validation": min(VALIDATION_FACTOR * batch_size, validation)}


class _Watch(Callback):
    """Notes in which phase the memory ended."""

    def __init__(self, micro_batches: MicroBatches):
        self.micro_batches = micro_batches
        self.has_begun = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.has_begun = True

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if self.has_begun:
            self.micro_batches.phase = "validation" if trainer.validating else "training"
