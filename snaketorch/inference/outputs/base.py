"""What the ways to tell a model's answers have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from snaketorch.data.loading.samples import Samples
from snaketorch.inference.columns import Column, Parameter
from snaketorch.inference.inputs.base import Fields, Input
from snaketorch.tasks.base import TaskModule

Run = Callable[[Samples], dict[str, np.ndarray]]
"""What the task's ``predict`` gives for all samples, in order."""
Cells = dict[str, list[Any]]
"""By column, for each row what is said of it, as JSON."""


class Output(ABC):
    """How what a task predicts becomes columns.

    Attributes:
        columns: What is said.
        parameters: What can be set for a whole call.
    """

    columns: list[Column]

    def __init__(self, task: TaskModule):
        self.task = task
        self.parameters: list[Parameter] = []

    @abstractmethod
    def answer(
        self, fields: Fields, reader: Input, run: Run, parameters: Mapping[str, Any]
    ) -> tuple[Cells, np.ndarray]:
        """What is said of at least one sample, and whether it is made of finite numbers (N,)."""


class Predicted(Output):
    """What the task's ``predict`` gives, row by row."""

    def answer(
        self, fields: Fields, reader: Input, run: Run, parameters: Mapping[str, Any]
    ) -> tuple[Cells, np.ndarray]:
        values = run(reader.samples(fields))
        finite = np.all([np.isfinite(array).reshape(len(array), -1).all(1) for array in values.values()], axis=0)
        return self.cells(values), finite

    @abstractmethod
    def cells(self, values: dict[str, np.ndarray]) -> Cells:
        """The columns of what ``predict`` gave."""
