"""What the steps of a training take, and how much of it they wait for their data."""

from typing import Any, Self

import torch
from pytorch_lightning import Trainer

from snaketorch.training.overhead import NoProfiler
from snaketorch.training.usage.durations import Durations
from snaketorch.training.usage.marks import GpuMarks, HostMarks, Marks

FETCH = ".train_dataloader_next"
"""How the name ends under which Lightning tells a profiler that it takes the next training batch."""


class Steps:
    """Adds up what ``Marks`` measure.

    A step is what lies between two changes of the weights: with accumulation several batches, and one where several
    optimizers take turns in it. The first of a process is left out, for it compiles, allocates, chooses algorithms.
    """

    def __init__(self, marks: Marks):
        self.marks = marks
        self.durations = Durations()
        self.waited = self.stepped = 0.0
        """Seconds of all steps: waiting for data, and in all."""
        self._step = (0.0, 0.0)
        self._is_warm = False

    @classmethod
    def on(cls, device: torch.device) -> Self:
        """The measurement for trainings on ``device``."""
        return cls(GpuMarks() if device.type == "cuda" else HostMarks())

    def batch_is_done(self, ends_step: bool) -> None:
        """The last batch of which the marks were told is trained on."""
        self.marks.done(ends_step)
        self.add_measured()

    def add_measured(self) -> None:
        """Takes what is known of by now."""
        for batch in self.marks.measured():
            waited, seconds = self._step[0] + batch.waited, self._step[1] + batch.seconds
            self._step = (waited, seconds)
            if not batch.ends_step:
                continue
            if self._is_warm:
                self.durations.add(seconds)
                self.waited += waited
                self.stepped += seconds
            self._step, self._is_warm = (0.0, 0.0), True

    @property
    def wait_share(self) -> float | None:
        """Share of the steps' time in which they waited for data; None before the second step."""
        return min(self.waited / self.stepped, 1.0) if self.stepped else None

    def state_dict(self) -> dict[str, Any]:
        return {"waited": self.waited, "stepped": self.stepped, "durations": dict(self.durations.counts)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.waited, self.stepped = state["waited"], state["stepped"]
        self.durations = Durations(state["durations"])


class FetchProfiler(NoProfiler):
    """Tells the marks when Lightning takes a batch, which no callback is told of."""

    def __init__(self, marks: Marks):
        super().__init__()
        self.marks = marks

    def start(self, action_name: str) -> None:
        if action_name.endswith(FETCH):
            self.marks.asked()

    def stop(self, action_name: str) -> None:
        if action_name.endswith(FETCH):
            self.marks.arrived()


def ends_step(trainer: Trainer, batch_idx: int) -> bool:
    """Whether the weights change at the end of a batch."""
    number = batch_idx + 1
    return number % trainer.accumulate_grad_batches == 0 or number == trainer.num_training_batches
