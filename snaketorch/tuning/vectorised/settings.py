"""What the optimizer of each row is told at each step: the project's own schedules over many learning rates."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, optim

from snaketorch.config.specs import TrainSpec
from snaketorch.training.optimization import OPTIMIZERS, SCHEDULES


@dataclass(frozen=True)
class _Length:
    """As much of a trainer as a schedule asks for."""

    estimated_stepping_batches: int
    max_epochs: int


class RowSettings:
    """Learning rate, momentum and all else of each row, as they are at a step."""

    def __init__(self, specs: Sequence[TrainSpec], steps_an_epoch: int):
        """``specs``: of the rows; all have one kind of optimizer."""
        self.steps_an_epoch = steps_an_epoch
        self.groups = [_options(spec) for spec in specs]
        """Of the rows, as torch's optimizers have them; schedules change them."""
        self.parts = [_Part(members, specs, self.groups, steps_an_epoch) for members in _of_one_schedule(specs)]
        self._now: dict[str, Tensor] | None = None

    @property
    def now(self) -> dict[str, Tensor]:
        """(K,) each, float64."""
        if self._now is None:
            self._now = {name: torch.tensor(values, dtype=torch.float64) for name, values in self._columns().items()}
        return self._now

    def step(self, steps: int) -> None:
        """An optimizer step is done, ``steps`` in all."""
        changed = [part.step(steps % self.steps_an_epoch == 0) for part in self.parts]
        if any(changed):
            self._now = None

    def forward(self, steps: int) -> None:
        """Goes to where it is after so many steps, from the beginning."""
        if any(part.schedule for part in self.parts):
            for step in range(1, steps + 1):
                self.step(step)

    def keep(self, rows: Sequence[int]) -> None:
        """Forgets all rows but those at ``rows``."""
        self.groups = [self.groups[row] for row in rows]
        self._now = None

    def _columns(self) -> dict[str, list[float]]:
        columns = {}
        for name in ("lr", "weight_decay", "momentum", "eps", "alpha"):
            if name in self.groups[0]:
                columns[name] = [group[name] for group in self.groups]
        if "betas" in self.groups[0]:
            for place, name in enumerate(("beta1", "beta2")):
                columns[name] = [group["betas"][place] for group in self.groups]
        return columns


class _Part:
    """The rows that share a schedule, in an optimizer of torch's with a weight and a group for each."""

    def __init__(
        self, members: Sequence[int], specs: Sequence[TrainSpec], groups: list[dict[str, Any]], steps_an_epoch: int
    ):
        first = specs[members[0]]
        options = [{"params": [torch.zeros(())], **groups[row]} for row in members]
        self.optimizer: optim.Optimizer = OPTIMIZERS[first.optimizer.kind](options, **groups[members[0]])
        for row, group in zip(members, self.optimizer.param_groups, strict=True):
            groups[row] = group
        length = _Length(steps_an_epoch * first.trainer.max_epochs, first.trainer.max_epochs)
        made = SCHEDULES[first.lr_scheduler.kind](first.lr_scheduler, self.optimizer, length, first.optimizer.lr)
        self.schedule = made["scheduler"] if made else None
        self.is_by_epoch = bool(made) and made["interval"] == "epoch"
        self.optimizer.step()  # without gradients: so that the schedule finds nothing to warn of

    def step(self, ends_epoch: bool) -> bool:
        """Whether something may be different now."""
        if self.schedule is None or (self.is_by_epoch and not ends_epoch):
            return False
        self.schedule.step()
        return True


def _options(spec: TrainSpec) -> dict[str, Any]:
    return spec.optimizer.model_dump(exclude={"kind"})


def _of_one_schedule(specs: Sequence[TrainSpec]) -> list[list[int]]:
    """The rows by schedule: a lowest rate is a share of the learning rate, so it must be the same share."""
    parts: dict[str, list[int]] = {}
    for row, spec in enumerate(specs):
        lowest = getattr(spec.lr_scheduler, "min_lr", 0.0)
        key = json.dumps([spec.lr_scheduler.model_dump(mode="json"), lowest / spec.optimizer.lr])
        parts.setdefault(key, []).append(row)
    return [*parts.values()]
