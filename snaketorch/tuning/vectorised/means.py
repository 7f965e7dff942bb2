"""Means of an epoch for every row, read the way the task reads its own."""

from collections.abc import Mapping

import torch
from torch import Tensor

from snaketorch.tasks.base import TaskModule


class RowMeans:
    """As ``RunningMeans``, with K values of each name."""

    def __init__(self, names: list[str], rows: int, device: torch.device):
        self.names = names
        self.sums = torch.zeros(len(names), rows, dtype=torch.float64, device=device)
        self.count = torch.zeros((), dtype=torch.int64, device=device)

    def add(self, values: Mapping[str, Tensor], count: int | Tensor) -> None:
        """Adds the means ``values`` (K,) each of a batch of ``count`` samples."""
        self.sums += torch.stack([values[name].double() for name in self.names]) * count
        self.count += count

    def take(self) -> dict[str, Tensor]:
        """The means (K,) each, float32; starts over."""
        means = (self.sums / self.count).float()
        self.sums.zero_()
        self.count.zero_()
        return dict(zip(self.names, means, strict=True))

    def keep(self, rows: Tensor) -> None:
        """Forgets all rows but those at ``rows`` (k,)."""
        self.sums = self.sums[:, rows]


def read(task: TaskModule, split: str, means: RowMeans) -> dict[str, Tensor]:
    """What the task logs of an epoch, (K,) each, such as ``val/accuracy``; starts over."""
    logged: dict[str, Tensor] = {}
    task.log_dict = logged.update  # in place of Lightning's, which wants one number for each name
    task._log_means(split, means)
    return logged
